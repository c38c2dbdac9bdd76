/** ContentAddressableStorage: many small blobs in one call (D17, D18, D20). GetTree has a file of its own. */
import type { Compressor } from "../../compression/compressors.ts";
import { decodeBytes } from "../../compression/decode.ts";
import { encodeBytes } from "../../compression/encode.ts";
import { Status } from "../../wire/status.ts";
import { answerAs } from "../behaviour/answer-as.ts";
import type { TransferRules } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import { digestMessage } from "../digests.ts";
import { concurrently } from "../execution/concurrently.ts";
import type { Answer, Methods, V2 } from "../rpc/methods.ts";
import { failureOf } from "../rpc/status-of.ts";
import { BlobMissingError } from "../store/blob-store.ts";
import type { ServiceParts } from "./service-parts.ts";
import { checkUpload } from "./upload-rules.ts";

const SERVICE = "/build.bazel.remote.execution.v2.ContentAddressableStorage";

/** Blobs of one call that are read or written at a time. */
const AT_A_TIME = 32;

/** Registers FindMissingBlobs, BatchUpdateBlobs and BatchReadBlobs. */
export function registerStorage(methods: Methods, parts: ServiceParts): void {
  methods.unary<V2<"FindMissingBlobsRequest">, V2<"FindMissingBlobsResponse">>(
    `${SERVICE}/FindMissingBlobs`,
    (request) => findMissing(parts, request),
  );
  methods.unary<V2<"BatchUpdateBlobsRequest">, V2<"BatchUpdateBlobsResponse">>(
    `${SERVICE}/BatchUpdateBlobs`,
    (request, { requestBytes }) => batchUpdate(parts, request, requestBytes),
  );
  methods.unary<V2<"BatchReadBlobsRequest">, V2<"BatchReadBlobsResponse">>(
    `${SERVICE}/BatchReadBlobs`,
    (request) => batchRead(parts, request),
  );
}

async function findMissing(
  { digests, store }: ServiceParts,
  { blobDigests, digestFunction }: V2<"FindMissingBlobsRequest">,
): Promise<Answer<V2<"FindMissingBlobsResponse">>> {
  const asked = blobDigests.map((message) => digests.read(message, digestFunction, "blob_digests"));
  const there = await concurrently(asked, AT_A_TIME, (digest) => store.has(digest));
  return { missingBlobDigests: asked.filter((_, index) => !there[index]).map(digestMessage) };
}

async function batchUpdate(
  { behaviour, digests, store }: ServiceParts,
  { requests, digestFunction }: V2<"BatchUpdateBlobsRequest">,
  requestBytes: number,
): Promise<Answer<V2<"BatchUpdateBlobsResponse">>> {
  if (requests.length === 0) answerAs(behaviour, "empty-batch-update");
  const { batch, batchCompressors: compressors } = behaviour.transfer;
  checkBatch(
    batch,
    requests.map(({ data }) => data.length),
    requestBytes,
  );
  const responses = await concurrently(requests, AT_A_TIME, async ({ digest, data, compressor }) => ({
    digest,
    status: await outcome(async () => {
      const read = digests.read(digest, digestFunction, "requests.digest");
      checkUpload(behaviour.transfer, read.sizeBytes);
      await store.put(read, await plainData(compressors, compressor, data as Buffer, read.sizeBytes));
    }),
  }));
  return { responses };
}

async function batchRead(
  { behaviour, digests, store }: ServiceParts,
  request: V2<"BatchReadBlobsRequest">,
): Promise<Answer<V2<"BatchReadBlobsResponse">>> {
  if (request.digests.length === 0) answerAs(behaviour, "empty-batch-read");
  const { batch, batchCompressors: compressors } = behaviour.transfer;
  const sizes = request.digests.map(({ sizeBytes }) => Number(sizeBytes));
  checkBatch(batch, sizes, responseBytes(request.digests, sizes));
  const compressor = compressors.find(({ number }) => request.acceptableCompressors.includes(number)) ?? null;
  const responses = await concurrently(request.digests, AT_A_TIME, async (digest) => {
    let found: { data: Buffer; compressor: number } | null = null;
    const status = await outcome(async () => {
      const read = digests.read(digest, request.digestFunction, "digests");
      const data = await store.get(read);
      if (data === null) throw new BlobMissingError(read);
      found = await smaller(compressor, data);
    });
    return { digest, status, ...(found ?? {}) };
  });
  return { responses };
}

/** The blob as it is or compressed, whichever is shorter. */
async function smaller(
  compressor: Compressor | null,
  data: Buffer,
): Promise<{ data: Buffer; compressor: number }> {
  const packed = compressor === null ? data : await encodeBytes(compressor, data);
  if (compressor === null || packed.length >= data.length) return { data, compressor: 0 };
  return { data: packed, compressor: compressor.number };
}

/** What a blob holds that came with this `compressor` number. */
async function plainData(
  compressors: readonly Compressor[],
  compressor: number,
  data: Buffer,
  sizeBytes: number,
): Promise<Buffer> {
  if (compressor === 0) return data;
  const found = compressors.find(({ number }) => number === compressor);
  if (found !== undefined) return decodeBytes(found, data, sizeBytes);
  throw new CallError(Status.INVALID_ARGUMENT, `this server does not know compressor number ${compressor}`);
}

/** The Status message for what became of one blob. */
async function outcome(work: () => Promise<void>): Promise<{ code: number; message: string }> {
  try {
    await work();
    return { code: Status.OK, message: "" };
  } catch (error) {
    const { code, message } = failureOf(error);
    return { code, message };
  }
}

/** The limit counts the blobs alone or, with some servers, the message they are in (P03). */
function checkBatch(
  { most, counts }: TransferRules["batch"],
  sizes: readonly number[],
  messageBytes: number,
): void {
  const total = counts === "message" ? messageBytes : sizes.reduce((sum, size) => sum + size, 0);
  if (total <= most) return;
  const what = counts === "message" ? "bytes in all" : "bytes of blobs";
  throw new CallError(
    Status.INVALID_ARGUMENT,
    `the batch has ${total} ${what}, more than max_batch_total_size_bytes, ${most}; use ByteStream`,
  );
}

/** Bytes of the message that answers a BatchReadBlobs, if all blobs are there: each with its digest, its length and six tags. */
function responseBytes(digests: readonly { readonly hash: string }[], sizes: readonly number[]): number {
  const overhead = digests.reduce((sum, { hash }) => sum + hash.length + 20, 0);
  return sizes.reduce((sum, size) => sum + size, overhead);
}
