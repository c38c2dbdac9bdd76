/** How much a client depends on methods, by its profile. */
import type { KnownClient } from "./known-client.ts";

const NEEDS = ["required", "execution", "optional"] as const;

/** With every server; to execute; only if so configured, or it does without; never. */
export type Need = (typeof NEEDS)[number] | "not called";

/** How much any of the lines depends on the method at `path`; null where that is not known. */
export function needOf(path: string, client: KnownClient): Need | null {
  if (typeof client === "string" || client.length === 0) return null;
  const calls = client.flatMap(({ facts }) => facts.calls ?? []);
  if (calls.length < client.length) return null;
  const isIn = (need: (typeof NEEDS)[number]) =>
    calls.some((of) => of[need]?.some((name) => path.endsWith(`.${name}`)));
  return NEEDS.find(isIn) ?? "not called";
}
