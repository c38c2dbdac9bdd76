/** What uploads are reported with (D16). */
import type { Dialect } from "../../peers/dialect.ts";

/** How the bytes of an upload are counted: as they were sent, as the blob has them, or not at all (-1). */
export type Count = "sent" | "blob" | "minus-one";

/** Of an upload that went to its end the count that most clients take first; of one that ended early what 2.3 says. */
const WHOLE: readonly Count[] = ["sent", "blob", "minus-one"];
const EARLY: readonly Count[] = ["minus-one", "blob", "sent"];

/** The feature that says what clients take. */
export const COMMITTED_SIZE = "committed-size";

/** The counts a client takes for a whole compressed upload; those of 2.3 where nobody knows. */
export function takenBy({ features }: Dialect<"client">): readonly string[] {
  return features[COMMITTED_SIZE]?.reads ?? ["sent", "minus-one"];
}

/** The count to tell a client of a compressed upload; `early` if the upstream had the blob before all of it was sent. */
export function countFor(client: Dialect<"client">, early: boolean): Count {
  const taken = takenBy(client);
  return (early ? EARLY : WHOLE).find((count) => taken.includes(count)) ?? "minus-one";
}
