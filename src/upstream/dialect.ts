/**
 * How one upstream wants to be spoken to, as plain data. Whoever knows the upstream fills it in; where something is not known, the value
 * to take is the one said here to be safe.
 */
export interface UpstreamDialect {
  /**
   * Bytes that fit into one message, to the upstream and from it to the bridge; 4 MiB, the default of gRPC, is safe. The port stays a
   * quarter below it, because peers count what is around the content differently (D18).
   */
  readonly maxMessageBytes: number;
  /** The announced limit of a batch in bytes, whether of blobs or of messages (P03); 0, which is safe, if none was announced. */
  readonly maxBatchBytes: number;
  /** Whether BatchReadBlobs is there; false is safe. */
  readonly batchRead: boolean;
  /** Whether BatchUpdateBlobs is there; false is safe. */
  readonly batchUpdate: boolean;
  /** The digest functions offered, as enum numbers, the preferred one first: an unnamed function is the first whose hashes have that length. */
  readonly digestFunctions: readonly number[];
  /** Whether requests name their digest function (D08); true is safe, since other servers do not look at the field. */
  readonly digestFunctionField: boolean;
  /** Whether names of blobs have a segment for functions after the first seven (D14). */
  readonly functionSegment: boolean;
}
