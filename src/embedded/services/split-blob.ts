/** ContentAddressableStorage.SplitBlob and SpliceBlob: blobs as lists of chunks, which are blobs too (D22). */
import { enums } from "../../spec/generated/enums.ts";
import { chunkSizes, cut } from "../../wire/fast-cdc.ts";
import { digestOf } from "../../wire/hasher.ts";
import { Status, type StatusCode } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";
import { digestMessage } from "../digests.ts";
import type { Answer, Methods, V2 } from "../rpc/methods.ts";
import { type BlobDigest, BlobMissingError } from "../store/blob-store.ts";
import type { ServiceParts } from "./service-parts.ts";
import { checkUpload } from "./upload-rules.ts";

const SERVICE = "/build.bazel.remote.execution.v2.ContentAddressableStorage";

/** The average length of a chunk, in bytes: what the API recommends. */
export const AVERAGE_CHUNK_BYTES = 512 * 1024;

const SIZES = chunkSizes(AVERAGE_CHUNK_BYTES);

/** Registers both methods, where the level has them. */
export function registerSplitting(methods: Methods, parts: ServiceParts): void {
  methods.unary<V2<"SplitBlobRequest">, V2<"SplitBlobResponse">>(`${SERVICE}/SplitBlob`, (request) =>
    split(parts, request),
  );
  methods.unary<V2<"SpliceBlobRequest">, V2<"SpliceBlobResponse">>(`${SERVICE}/SpliceBlob`, (request) =>
    splice(parts, request),
  );
}

/** Cuts by FastCDC 2020, whatever function the client prefers, as the API allows. A blob that is too short to be cut is its own chunk. */
async function split(
  { behaviour, digests, store }: ServiceParts,
  request: V2<"SplitBlobRequest">,
): Promise<Answer<V2<"SplitBlobResponse">>> {
  const blob = digests.read(request.blobDigest, request.digestFunction, "blob_digest");
  if (!(await store.has(blob))) throw notStored(behaviour.transfer.unknownManifest, blob);
  const chunkingFunction = enums.ChunkingFunction.FAST_CDC_2020;
  if (blob.sizeBytes < SIZES.max) return { chunkDigests: [digestMessage(blob)], chunkingFunction };
  const chunkDigests: { hash: string; sizeBytes: number }[] = [];
  for await (const chunk of cut(store.read(blob, 0, Number.POSITIVE_INFINITY), SIZES)) {
    const digest = digestOf(chunk, blob.digestFunction);
    await store.put(digest, chunk);
    chunkDigests.push(digestMessage(digest));
  }
  return { chunkDigests, chunkingFunction };
}

/** Stores the concatenation, if it has the digest that the request says. A blob that is there already stays as it is. */
async function splice(
  { behaviour, digests, store }: ServiceParts,
  request: V2<"SpliceBlobRequest">,
): Promise<Answer<V2<"SpliceBlobResponse">>> {
  const blob = digests.read(request.blobDigest, request.digestFunction, "blob_digest");
  checkUpload(behaviour.transfer, blob.sizeBytes);
  const { number } = blob.digestFunction;
  const chunks = request.chunkDigests.map((message) => digests.read(message, number, "chunk_digests"));
  const total = chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total !== blob.sizeBytes) {
    const what = `the chunks have ${total} bytes together, the blob ${blob.sizeBytes}`;
    throw new CallError(Status.INVALID_ARGUMENT, what);
  }
  for (const chunk of chunks) {
    if (!(await store.has(chunk))) throw notStored(behaviour.transfer.missingChunk, chunk);
  }
  if (!(await store.has(blob))) await join(blob, chunks, { store });
  return { blobDigest: digestMessage(blob) };
}

function notStored(code: StatusCode, blob: BlobDigest): CallError {
  return new CallError(code, new BlobMissingError(blob).message);
}

async function join(
  blob: BlobDigest,
  chunks: readonly BlobDigest[],
  { store }: Pick<ServiceParts, "store">,
): Promise<void> {
  const write = store.write(blob);
  try {
    for (const chunk of chunks) {
      for await (const bytes of store.read(chunk, 0, Number.POSITIVE_INFINITY)) await write.append(bytes);
    }
    await write.finish();
  } finally {
    await write.abort();
  }
}
