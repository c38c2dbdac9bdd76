import { DIGEST_FUNCTIONS } from "../wire/digest-function.ts";

/** How one upstream wants to be spoken to, as plain data. Whoever knows the upstream fills it in, and takes {@link SAFE_DIALECT} for the rest. */
export interface UpstreamDialect {
  /**
   * Bytes that fit into one message, to the upstream and from it to the bridge. The port stays a
   * quarter below it, because peers count what is around the content differently (D18).
   */
  readonly maxMessageBytes: number;
  /** The announced limit of a batch in bytes, whether of blobs or of messages (P03); 0 if none was announced. */
  readonly maxBatchBytes: number;
  /** Whether BatchReadBlobs is there. */
  readonly batchRead: boolean;
  /** Whether BatchUpdateBlobs is there. */
  readonly batchUpdate: boolean;
  /** The digest functions offered, as enum numbers, the preferred one first: an unnamed function is the first whose hashes have that length. */
  readonly digestFunctions: readonly number[];
  /** Whether requests name their digest function (D08). */
  readonly digestFunctionField: boolean;
  /** Whether names of blobs have a segment for functions after the first seven (D14). */
  readonly functionSegment: boolean;
}

/** What every upstream understands that follows the API at any level. */
export const SAFE_DIALECT: UpstreamDialect = {
  // The default of gRPC.
  maxMessageBytes: 4 * 1024 * 1024,
  maxBatchBytes: 0,
  // ByteStream does the same, and is everywhere.
  batchRead: false,
  batchUpdate: false,
  // Those that need not be named; others have to be made known.
  digestFunctions: DIGEST_FUNCTIONS.filter(({ implicit }) => implicit).map(({ number }) => number),
  // A server that does not know the field does not look at it; a name with a segment it does not know is no name.
  digestFunctionField: true,
  functionSegment: false,
};
