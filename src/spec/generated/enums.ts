// Written by scripts/generate.ts from spec-data; do not edit.

/** Every enum of the API in its newest state. Peers may send numbers that are not listed. */
export const enums = {
  ChunkingFunction: {
    UNKNOWN: 0,
    FAST_CDC_2020: 1,
    REP_MAX_CDC: 2,
  },
  Compressor: {
    IDENTITY: 0,
    ZSTD: 1,
    DEFLATE: 2,
    BROTLI: 3,
  },
  DigestFunction: {
    UNKNOWN: 0,
    SHA256: 1,
    SHA1: 2,
    MD5: 3,
    VSO: 4,
    SHA384: 5,
    SHA512: 6,
    MURMUR3: 7,
    SHA256TREE: 8,
    BLAKE3: 9,
    GITSHA1: 10,
  },
  ExecutionStage: {
    UNKNOWN: 0,
    CACHE_CHECK: 1,
    QUEUED: 2,
    EXECUTING: 3,
    COMPLETED: 4,
  },
  OutputDirectoryFormat: {
    TREE_ONLY: 0,
    DIRECTORY_ONLY: 1,
    TREE_AND_DIRECTORY: 2,
  },
  SymlinkAbsolutePathStrategy: {
    UNKNOWN: 0,
    DISALLOWED: 1,
    ALLOWED: 2,
  },
} as const;
