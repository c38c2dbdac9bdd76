/** Which digest functions a client is told of (D09, P08). */
import type { Dialect } from "../../peers/dialect.ts";
import { type ElementId, knows } from "../../spec/ledger.ts";
import { isLevel } from "../../spec/versions.ts";
import { DIGEST_FUNCTIONS } from "../../wire/digest-function.ts";
import type { Announcement, Edit, Pair } from "../translator.ts";
import { editCachePart } from "./cache-part.ts";
import { hideValues } from "./enum-lists.ts";

/** CacheCapabilities.digest_functions. */
const FUNCTIONS = 1;

/** Values of DigestFunction. */
const SHA1 = 2;
const GITSHA1 = 10;

/** Leaves out of CacheCapabilities.digest_functions what the client cannot use. The order of the others stays. */
export function announceFunctions({ bytes, pair }: Announcement): Edit {
  const hidden = hiddenFrom(pair);
  if (hidden.size === 0) return null;
  return editCachePart(bytes, (field, out) =>
    field.number === FUNCTIONS ? hideValues(field, out, (number) => hidden.has(number)) : "keep",
  );
}

/** Whether the server has functions that the client is not told of. */
export function hidesFunctions(pair: Pair): boolean {
  const hidden = hiddenFrom(pair);
  return pair.server.digestFunctions.some((number) => hidden.has(number));
}

/**
 * Numbers of the functions that the client's revision does not have, unless it is known to use them all the same; of the one that may mean another (P08); and of
 * SHA1, where that means names of git objects, to a client that does not make those.
 */
function hiddenFrom({ client, server }: Pair): Set<number> {
  const later = DIGEST_FUNCTIONS.filter(({ name }) => lacks(client.version, name));
  const hidden = new Set(later.map(({ number }) => number));
  for (const number of client.digestFunctions) hidden.delete(number);
  if (!saysGitSha1(server)) hidden.add(GITSHA1);
  if (server.facts.gitHashes?.is === true && client.facts.digestFunctions?.gitHashes !== true)
    hidden.add(SHA1);
  return hidden;
}

function lacks(version: string | null, name: string): boolean {
  return (
    version !== null &&
    isLevel(version) &&
    !knows(version, `build.bazel.remote.execution.v2.DigestFunction.Value.${name}` as ElementId)
  );
}

/** Number 10 was the draft's before it was GITSHA1: a server means the latter if its revision has it, or its profile says so. */
function saysGitSha1({ version, facts }: Dialect<"server">): boolean {
  const named = facts.digestFunctions?.are.includes("GITSHA1") === true;
  return named || (version !== null && isLevel(version) && !lacks(version, "GITSHA1"));
}
