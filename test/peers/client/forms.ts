/** In which forms a client writes and reads, given the versions that were announced. */
import type { Claim } from "../../../src/peers/dialect.ts";
import type { ResolvedClient } from "../../../src/peers/profile.ts";
import { peerFacts } from "../../../src/peers/profile-facts.ts";
import { PROFILE_FEATURES, type ProfileFeature } from "../../../src/peers/profile-features.ts";
import { type ApiWindow, gatedClaims } from "../../../src/peers/version-rule.ts";
import { type ElementId, since } from "../../../src/spec/ledger.ts";
import { atLeast, type Level, NEWEST } from "../../../src/spec/versions.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";

/** For each feature the forms that a client reads and writes, the preferred first. */
export type Forms = Readonly<
  Record<ProfileFeature, { readonly reads: readonly string[]; readonly writes: readonly string[] }>
>;

/** Forms that a test wants the client to write: what is configuration of the real one. */
export type FormChoices = Partial<Record<ProfileFeature, readonly string[]>>;

const FEATURES = Object.keys(PROFILE_FEATURES) as ProfileFeature[];

/** The forms after an announcement of `window`. @throws RangeError for forms that a feature does not have. */
export function formsOf(client: ResolvedClient, window: ApiWindow, choices: FormChoices = {}): Forms {
  const chosen = Object.entries(choices).map(
    ([feature, writes]): Claim => ({
      feature,
      writes,
      evidence: { source: "configured", note: "chosen by the test" },
    }),
  );
  const facts = peerFacts(client);
  const claims = [...chosen, ...gatedClaims(client, window), ...facts.claims];
  const { features } = resolveDialect({ ...facts, claims }, TRANSLATORS);
  return Object.fromEntries(
    FEATURES.map((feature) => {
      const { reads, writes } = features[feature]!;
      return [feature, { reads, writes }];
    }),
  ) as Forms;
}

const V2 = "build.bazel.remote.execution.v2";

/** The element of the ledger that a form needs, where it needs a newer one. */
const NEEDS: Readonly<Record<string, ElementId>> = {
  "action-platform action": `${V2}.Action.platform`,
  "digest-function-field set": `${V2}.ExecuteRequest.digest_function`,
  "node-properties 2020-03": `${V2}.Command.output_node_properties`,
  "node-properties list": `${V2}.Action.output_node_properties`,
  "node-properties message": `${V2}.Command.output_node_properties`,
  "output-directory-format directory": `${V2}.Command.output_directory_format`,
  "output-paths paths": `${V2}.Command.output_paths`,
  "output-symlinks declared": `${V2}.ActionResult.output_symlinks`,
  "output-symlinks both": `${V2}.ActionResult.output_symlinks`,
  "output-symlinks unified": `${V2}.ActionResult.output_symlinks`,
};

/**
 * The level whose messages a client writes and reads: its own, or the first one that has everything its profile says beyond it. What else that
 * level has stays out of its messages, since no form of it is used.
 */
export function messageLevel({ facts, features }: ResolvedClient): Level {
  const own = facts.level?.is ?? NEWEST;
  const stated = Object.entries(features).flatMap(([feature, { reads = [], writes = [] }]) =>
    [...reads, ...writes].map((form) => `${feature} ${form}`),
  );
  const gated = facts.versionGates?.gates.flatMap(({ feature, newer }) =>
    newer.map((form) => `${feature} ${form}`),
  );
  const levels = [...stated, ...(gated ?? [])].flatMap((form) => {
    const element = NEEDS[form];
    return element === undefined ? [] : [since(element)];
  });
  if ((facts.compressors?.are.length ?? 0) > 0) {
    levels.push(since(`${V2}.CacheCapabilities.supported_compressors`));
  }
  if ((facts.chunking?.rules.length ?? 0) > 0) {
    levels.push(since(`${V2}.CacheCapabilities.split_blob_support`));
  }
  return levels.reduce((newest, level) => (atLeast(level, newest) ? level : newest), own);
}
