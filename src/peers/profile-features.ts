/** The features profiles speak of, with their forms: those in which known peers are not as their level. Each translator's own forms; a test compares. */
export const PROFILE_FEATURES = {
  "action-platform": ["command", "action"],
  "ancient-clients": ["inline", "by-digest"],
  argv0: ["input-root", "working-directory"],
  "asset-checksums": ["one", "several"],
  "asset-service": ["absent", "offered"],
  "batch-compression": ["plain", "compressed"],
  "batch-methods": ["streams", "batches"],
  "capabilities-service": ["absent", "offered"],
  chunking: ["whole", "chunks"],
  "committed-size": ["plain", "compressed"],
  "compressed-blobs": ["plain", "compressed"],
  "digest-function-field": ["unset", "set"],
  "get-tree": ["absent", "offered"],
  "node-properties": ["none", "list", "message"],
  "output-base": ["input-root", "working-directory"],
  "output-directory-format": ["tree", "directory"],
  "output-paths": ["lists", "paths"],
  "output-symlinks": ["typed", "unified", "both"],
  "read-range": ["whole", "ranges"],
  "resource-names": ["plain", "extended"],
  "wait-execution": ["absent", "offered"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A feature that profiles may speak of. */
export type ProfileFeature = keyof typeof PROFILE_FEATURES;
