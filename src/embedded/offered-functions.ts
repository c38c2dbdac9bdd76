/** The digest functions a level of the embedded server offers. */
import { type ElementId, knows } from "../spec/ledger.ts";
import type { Level } from "../spec/versions.ts";
import { DIGEST_FUNCTIONS, type DigestFunction } from "../wire/digest-function.ts";
import { canHash } from "../wire/hasher.ts";

/** The functions that a server of this level offers, SHA256 first: those of its schema that can be computed here. */
export function offeredFunctions(level: Level): readonly DigestFunction[] {
  return DIGEST_FUNCTIONS.filter(
    (digestFunction) =>
      canHash(digestFunction) &&
      knows(
        level,
        `build.bazel.remote.execution.v2.DigestFunction.Value.${digestFunction.name}` as ElementId,
      ),
  );
}
