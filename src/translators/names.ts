/** Ids of the ledger, in short. That they exist is checked with the registry. */
import type { ElementId } from "../spec/ledger.ts";

/** Members of a message, service or enum of the main package. */
export function of(owner: string, ...members: readonly string[]): ElementId[] {
  return ids(`build.bazel.remote.execution.v2.${owner}`, members);
}

/** Members of anything, by its full name. */
export function ids(owner: string, members: readonly string[]): ElementId[] {
  return members.map((member) => `${owner}.${member}` as ElementId);
}
