/**
 * The features profiles speak of, with the forms their translators give them (a test compares): those in which peers are not as their
 * level, and which no other fact of theirs tells. `of` is whose profiles may speak of it.
 */
import type { Role } from "./profile.ts";

interface ProfileFeatureEntry {
  readonly forms: readonly [string, ...string[]];
  readonly of: readonly Role[];
}

const BOTH = ["client", "server"] as const;

export const PROFILE_FEATURES = {
  "action-platform": { forms: ["command", "action"], of: BOTH },
  "ancient-clients": { forms: ["by-digest", "inline", "v1test"], of: BOTH },
  argv0: { forms: ["input-root", "working-directory"], of: BOTH },
  "asset-checksums": { forms: ["one", "several"], of: ["client"] },
  "asset-service": { forms: ["absent", "offered"], of: ["client"] },
  "batch-methods": { forms: ["none", "streams", "reads", "updates"], of: ["client"] },
  "cache-writes": { forms: ["inlined", "digests", "filled", "needed", "none"], of: BOTH },
  "digest-function-field": { forms: ["unset", "set", "unsaid"], of: BOTH },
  "empty-blob": { forms: ["stored", "implied"], of: ["client"] },
  "execution-metadata": { forms: ["bare", "few", "more", "uuid", "interleaved"], of: BOTH },
  "inline-outputs": { forms: ["at-will", "on-request", "executions", "raw", "digests"], of: ["client"] },
  "input-symlinks": { forms: ["strict", "lenient"], of: ["server"] },
  "indirect-chunks": { forms: ["direct", "indirect"], of: BOTH },
  lifetimes: { forms: ["unsaid", "promised", "checked"], of: ["server"] },
  "node-properties": { forms: ["none", "list", "2020-03", "message", "inputs", "some"], of: BOTH },
  "output-base": { forms: ["input-root", "working-directory", "drafted"], of: BOTH },
  "output-directory-format": { forms: ["tree", "directory", "both"], of: BOTH },
  "output-nesting": { forms: ["forbidden", "allowed"], of: BOTH },
  "output-parents": { forms: ["left", "created"], of: BOTH },
  "output-paths": { forms: ["lists", "paths", "each"], of: BOTH },
  "output-symlinks": { forms: ["typed", "unified", "both", "declared", "none"], of: BOTH },
  "resource-names": { forms: ["plain", "extended", "unsaid"], of: ["client"] },
  "streamed-chunks": { forms: ["unary", "streamed"], of: BOTH },
  "strict-canonical": { forms: ["lenient", "strict"], of: BOTH },
  "uncached-actions": { forms: ["merged", "apart"], of: ["server"] },
} as const satisfies Readonly<Record<string, ProfileFeatureEntry>>;

/** A feature that profiles may speak of. */
export type ProfileFeature = keyof typeof PROFILE_FEATURES;
