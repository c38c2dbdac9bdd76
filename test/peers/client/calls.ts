import type { ResolvedClient } from "../../../src/peers/profile.ts";

/** How a client stands to a method: it cannot do without, it tries, or never calls it. A client of which nothing is known calls all there are. */
export type Use = "required" | "optional" | "none";

/** How the client uses a method, given as profiles write it: `Execution/Execute`. */
export function useOf({ facts: { calls } }: ResolvedClient, method: string): Use {
  if (calls === undefined) return "required";
  const names = (list: readonly string[] = []): boolean => list.includes(method);
  if (names(calls.required) || names(calls.execution)) return "required";
  return names(calls.optional) ? "optional" : "none";
}
