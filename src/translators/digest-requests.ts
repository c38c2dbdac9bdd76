import {
  BATCH_READ_BLOBS,
  BATCH_UPDATE_BLOBS,
  EXECUTE,
  FIND_MISSING_BLOBS,
  GET_ACTION_RESULT,
  GET_TREE,
  SPLICE_BLOB,
  SPLIT_BLOB,
  UPDATE_ACTION_RESULT,
} from "./methods.ts";

/** Numbers of fields in a request about digests. */
export interface DigestRequest {
  /** `digest_function`. */
  readonly field: number;
  /** The way to its digests. */
  readonly digest: readonly number[];
  /** The same in words, as BadRequest names it. */
  readonly text: string;
}

/** Requests about digests that have a field for their digest function, by path of the method. */
export const DIGEST_REQUESTS: Readonly<Record<string, DigestRequest>> = {
  [EXECUTE]: { field: 9, digest: [6], text: "action_digest" },
  [GET_ACTION_RESULT]: { field: 6, digest: [2], text: "action_digest" },
  [UPDATE_ACTION_RESULT]: { field: 5, digest: [2], text: "action_digest" },
  [FIND_MISSING_BLOBS]: { field: 3, digest: [2], text: "blob_digests[]" },
  [BATCH_UPDATE_BLOBS]: { field: 5, digest: [2, 1], text: "requests[].digest" },
  [BATCH_READ_BLOBS]: { field: 4, digest: [2], text: "digests[]" },
  [GET_TREE]: { field: 5, digest: [2], text: "root_digest" },
  [SPLIT_BLOB]: { field: 3, digest: [2], text: "blob_digest" },
  [SPLICE_BLOB]: { field: 4, digest: [2], text: "blob_digest" },
};
