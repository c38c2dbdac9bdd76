/** What is measured of transfers. */
import { createHash, randomUUID } from "node:crypto";
import type { ClientHttp2Session } from "node:http2";
import { brotliCompressSync, constants, deflateRawSync, zstdCompressSync } from "node:zlib";
import { SPLIT_BLOB } from "../../src/translators/methods.ts";
import { READ, WRITE } from "../../src/upstream/methods.ts";
import { writeReadRequest, writeWriteRequest } from "../../src/wire/byte-stream.ts";
import { type Digest, encodeDigest, formatDigest } from "../../src/wire/digest.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { call, framed } from "./wire.ts";

/** One way for the blob to travel; the bytes that count are always those of the blob. */
export interface TransferCase {
  readonly name: string;
  readonly title: string;
  /** The case of the same direction that only relays. */
  readonly relay: string;
  /** One transfer of the blob through a connection. @throws Error if a call goes wrong. */
  run(session: ClientHttp2Session): Promise<void>;
}

/** Blobs that were cut. */
let cuts = 0;

const PART_BYTES = 256 * 1024;

const COMPRESS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  zstd: (bytes) => zstdCompressSync(bytes),
  deflate: (bytes) => deflateRawSync(bytes),
  brotli: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
};

/** Every case, for a blob. */
export function transferCases(content: Buffer, digest: Digest): TransferCase[] {
  const name = formatDigest(digest);
  const segments = Object.keys(COMPRESS);
  return [
    {
      name: "download",
      title: "the plain blob, relayed",
      relay: "download",
      run: (session) => read(session, `blobs/${name}`),
    },
    ...segments.map((segment) => ({
      name: `encode ${segment}`,
      title: `a client reads it as ${segment}, the server has it plain`,
      relay: "download",
      run: (session: ClientHttp2Session) => read(session, `compressed-blobs/${segment}/${name}`),
    })),
    {
      name: "upload",
      title: "the plain blob, relayed",
      relay: "upload",
      run: (session) => write(session, `blobs/${name}`, content),
    },
    ...segments.map((segment) => {
      const compressed = COMPRESS[segment]!(content);
      return {
        name: `decode ${segment}`,
        title: `a client writes it as ${segment}, the server takes it plain`,
        relay: "upload",
        run: (session: ClientHttp2Session) =>
          write(session, `compressed-blobs/${segment}/${name}`, compressed),
      };
    }),
    {
      name: "split",
      title: "SplitBlob by FastCDC 2020: the blob is read, cut and hashed, and no chunk is missing",
      relay: "download",
      run: (session) => split(session, content.subarray(0, content.length - cuts++)),
    },
  ];
}

async function read(session: ClientHttp2Session, resourceName: string): Promise<void> {
  const request = writeReadRequest({ resourceName, readOffset: 0, readLimit: 0 });
  await call(session, READ, [framed(request)]);
}

async function write(session: ClientHttp2Session, kind: string, bytes: Buffer): Promise<void> {
  const resourceName = `uploads/${randomUUID()}/${kind}`;
  function* requests() {
    for (let at = 0; at < bytes.length; at += PART_BYTES) {
      const data = bytes.subarray(at, at + PART_BYTES);
      const finishWrite = at + data.length === bytes.length;
      yield framed(
        writeWriteRequest({ resourceName: at === 0 ? resourceName : "", writeOffset: at, finishWrite, data }),
      );
    }
  }
  await call(session, WRITE, requests());
}

/** A blob that the bridge has not cut before. */
async function split(session: ClientHttp2Session, blob: Buffer): Promise<void> {
  const digest = { hash: createHash("sha256").update(blob).digest("hex"), sizeBytes: blob.length };
  const request = new FieldWriter();
  request.bytes(2, encodeDigest(digest));
  await call(session, SPLIT_BLOB, [framed(request.finish())]);
}
