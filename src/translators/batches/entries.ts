/** The entries of BatchUpdateBlobs and BatchReadBlobs, where they lie. */
import type { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, encodeDigest, readDigest } from "../../wire/digest.ts";
import { FieldWriter } from "../../wire/field-writer.ts";
import { encodeStatus } from "../../wire/status-details.ts";
import { Walker, WireType } from "../../wire/walker.ts";

/** Field numbers of the lists: requests of an update, digests of a read, responses of either. */
export const UPDATES = 2;
export const DIGESTS = 2;
export const RESPONSES = 1;

/** Field numbers of `digest_function` in the two requests. */
export const UPDATE_FUNCTION = 5;
export const READ_FUNCTION = 4;

/** Bytes around one blob in a BatchReadBlobsResponse besides its hash, at most: tags, lengths, its size and an empty status. */
const AROUND_READ = 32;

/** An entry of a `BatchUpdateBlobsRequest`; its data lie in the message. */
export interface Update {
  readonly digest: Digest;
  readonly data: Buffer;
  /** The number of its compressor. */
  readonly compressor: number;
  /** The whole entry, which is a message. */
  readonly bytes: Buffer;
  /** Bytes of the field that it is in. */
  readonly fieldBytes: number;
}

/** The entry at hand of a `BatchUpdateBlobsRequest`. @throws WireError for broken bytes. */
export function readUpdate(entry: Walker): Update {
  let digest: Digest = { hash: "", sizeBytes: 0 };
  let data: Buffer = EMPTY;
  let compressor = 0;
  const field = entry.enter();
  while (field.next()) {
    if (field.number === 1 && field.wireType === WireType.LEN) digest = readDigest(field.enter());
    else if (field.number === 2 && field.wireType === WireType.LEN) data = field.bytes();
    else if (field.number === 3 && field.wireType === WireType.VARINT) compressor = field.int32();
  }
  return { digest, data, compressor, bytes: entry.bytes(), fieldBytes: entry.fieldEnd - entry.fieldStart };
}

/** All of them, in order. @throws WireError for broken bytes. */
export function updatesIn(request: Buffer): Update[] {
  return entriesIn(request, UPDATES, readUpdate);
}

/** The digests that a `BatchReadBlobsRequest` asks for, in order. @throws WireError for broken bytes. */
export function digestsIn(request: Buffer): Digest[] {
  return entriesIn(request, DIGESTS, (entry) => readDigest(entry.enter()));
}

/** What `read` makes of each entry in that field, in order. @throws WireError for broken bytes. */
function entriesIn<Entry>(message: Buffer, number: number, read: (entry: Walker) => Entry): Entry[] {
  const entries: Entry[] = [];
  const field = new Walker(message);
  while (field.next())
    if (field.number === number && field.wireType === WireType.LEN) entries.push(read(field));
  return entries;
}

/** What a blob adds to a `BatchReadBlobsResponse`, at most. */
export function readBytes({ hash, sizeBytes }: Digest): number {
  return hash.length + sizeBytes + AROUND_READ;
}

/** The entry of a `BatchUpdateBlobsResponse`: why the blob was not stored, or null. */
export function updateStatus(digest: Digest, error: UpstreamError | null): Buffer[] {
  return entryOf(digest, (out) => out.bytes(2, statusOf(error)));
}

/** The entry of a `BatchReadBlobsResponse` for a blob that could not be read. */
export function readFailure(digest: Digest, error: UpstreamError): Buffer[] {
  return entryOf(digest, (out) => out.bytes(3, statusOf(error)));
}

/** The same for one that could; its bytes are referenced, not copied. */
export function readContent(digest: Digest, bytes: Buffer): Buffer[] {
  return entryOf(digest, (out) => {
    if (bytes.length > 0) out.bytes(2, bytes);
    out.bytes(3, EMPTY);
  });
}

function entryOf(digest: Digest, fill: (out: FieldWriter) => void): Buffer[] {
  const out = new FieldWriter();
  out.bytes(1, encodeDigest(digest));
  fill(out);
  return out.finish();
}

function statusOf(error: UpstreamError | null): Buffer {
  if (error === null) return EMPTY;
  const { code, message, details } = error;
  return encodeStatus({ code, message, details });
}

const EMPTY: Buffer = Buffer.alloc(0);
