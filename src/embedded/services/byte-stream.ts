/** google.bytestream.ByteStream: blobs of any size, in pieces (D06, D14–D16). */
import { decode } from "../../compression/decode.ts";
import { encode } from "../../compression/encode.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { knows } from "../../spec/ledger.ts";
import { Status } from "../../wire/status.ts";
import type { TransferRules } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import type { CallContext, Methods } from "../rpc/methods.ts";
import { type BlobDigest, BlobMissingError } from "../store/blob-store.ts";
import { ResourceNames } from "./resource-names.ts";
import type { ServiceParts } from "./service-parts.ts";
import { checkUpload } from "./upload-rules.ts";
import type { Uploads } from "./uploads.ts";

type ReadRequest = Messages["google.bytestream.ReadRequest"];
type ReadResponse = Messages["google.bytestream.ReadResponse"];
type WriteRequest = Messages["google.bytestream.WriteRequest"];
type WriteResponse = Messages["google.bytestream.WriteResponse"];
type QueryWriteStatusRequest = Messages["google.bytestream.QueryWriteStatusRequest"];
type QueryWriteStatusResponse = Messages["google.bytestream.QueryWriteStatusResponse"];

const NAME_HEADER = "build.bazel.remote.execution.v2.resource-name";

/** What the service works with. */
interface ByteStreamParts extends ServiceParts {
  readonly names: ResourceNames;
  readonly uploads: Uploads;
}

/** Registers the service. Who calls it keeps `uploads`, to stop them. */
export function registerByteStream(methods: Methods, serviceParts: ServiceParts, uploads: Uploads): void {
  const parts = { ...serviceParts, uploads, names: new ResourceNames(serviceParts) };
  methods.serverStreaming<ReadRequest, ReadResponse>(
    "/google.bytestream.ByteStream/Read",
    (request, call) => {
      checkNameHeader(parts, request.resourceName, call);
      return read(parts, request);
    },
  );
  methods.clientStreaming<WriteRequest, WriteResponse>(
    "/google.bytestream.ByteStream/Write",
    (requests, call) => write(parts, requests, call),
  );
  methods.unary<QueryWriteStatusRequest, QueryWriteStatusResponse>(
    "/google.bytestream.ByteStream/QueryWriteStatus",
    async ({ resourceName }, call) => {
      checkNameHeader(parts, resourceName, call);
      const { digest } = parts.names.write(resourceName);
      if (await parts.store.has(digest)) return { committedSize: digest.sizeBytes, complete: true };
      const tells = parts.behaviour.transfer.writeStatus === "offset";
      return { committedSize: tells ? parts.uploads.committed(resourceName) : 0, complete: false };
    },
  );
}

async function* read(
  { behaviour, names, store }: ByteStreamParts,
  request: ReadRequest,
): AsyncIterable<ReadResponse> {
  const { digest, compressor } = names.read(request.resourceName);
  const { readOffset, readLimit, unkeptCompressors } = behaviour.transfer;
  const isPlain = compressor === null || unkeptCompressors.includes(compressor.name);
  const blind = readOffset === "ignored" || (compressor !== null && readOffset === "ignored-compressed");
  const offset = blind ? 0 : Number(request.readOffset);
  const limit = readLimit === "ignored" ? 0 : Number(request.readLimit);
  if (limit < 0) throw new CallError(Status.INVALID_ARGUMENT, `read_limit is negative: ${limit}`);
  if (readLimit === "unimplemented" && limit !== 0) {
    throw new CallError(Status.UNIMPLEMENTED, "this server does not support read_limit; leave it out");
  }
  if (compressor !== null && limit !== 0) {
    throw new CallError(Status.INVALID_ARGUMENT, "read_limit must be 0 where the blob is read compressed");
  }
  if (!(await store.has(digest))) throw new BlobMissingError(digest);
  if (offset < 0 || offset > digest.sizeBytes) {
    throw new CallError(
      Status.OUT_OF_RANGE,
      `read_offset is ${offset}, but the blob has ${digest.sizeBytes} bytes`,
    );
  }
  const plain = store.read(digest, offset, limit === 0 ? Number.POSITIVE_INFINITY : limit);
  for await (const data of isPlain ? plain : encode(compressor, plain)) yield { data };
  if (readLimit === "out-of-range" && limit !== 0 && limit < digest.sizeBytes - offset) {
    throw new CallError(Status.OUT_OF_RANGE, `read_limit is ${limit}, but the blob goes on`);
  }
}

async function write(
  parts: ByteStreamParts,
  requests: AsyncIterable<WriteRequest>,
  call: CallContext,
): Promise<{ committedSize: number }> {
  const messages = requests[Symbol.asyncIterator]();
  const { value: first, done } = await messages.next();
  if (done === true) throw new CallError(Status.INVALID_ARGUMENT, "the call ended without a request");
  const { resourceName } = first;
  checkNameHeader(parts, resourceName, call);
  const { digest, compressor } = parts.names.write(resourceName);
  if (first.writeOffset < 0n) throw new CallError(Status.INVALID_ARGUMENT, "write_offset is negative");
  const { transfer } = parts.behaviour;
  checkUpload(transfer, digest.sizeBytes);
  const incoming = new Incoming(first, messages);
  // The client need not send what is there already (D16).
  if (await parts.store.has(digest)) {
    if (transfer.committedSize.refusesExisting) {
      throw new CallError(Status.ALREADY_EXISTS, `the blob ${digest.hash}/${digest.sizeBytes} is there`);
    }
    if (compressor === null) return { committedSize: digest.sizeBytes };
    const { early } = transfer.committedSize;
    if (early === "sent") await incoming.skip();
    return { committedSize: committed(early, digest, incoming) };
  }
  const plain =
    compressor === null
      ? incoming.data()
      : decode(compressor, incoming.data(), digest.sizeBytes - Number(first.writeOffset));
  await parts.uploads.run(resourceName, digest, Number(first.writeOffset), plain, {
    finished: () => incoming.finished,
    cut: () => call.signal.aborted,
  });
  if (!incoming.finished) return { committedSize: parts.uploads.committed(resourceName) };
  const { counts } = transfer.committedSize;
  return { committedSize: compressor === null ? digest.sizeBytes : committed(counts, digest, incoming) };
}

/** What the reply to a compressed upload says (D16). */
function committed(
  counts: TransferRules["committedSize"]["counts"],
  { sizeBytes }: BlobDigest,
  { end }: Incoming,
): number {
  if (counts === "minus-one") return -1;
  return counts === "blob" ? sizeBytes : end;
}

/** The requests of one Write, as data whose offsets follow each other. */
class Incoming {
  /** Whether the client has said that this is all of the blob. */
  finished = false;
  /** Where the next data belong, by the client's count: the first offset and all bytes of data since, compressed or not. */
  end: number;
  private readonly first: WriteRequest;
  private readonly rest: AsyncIterator<WriteRequest>;

  constructor(first: WriteRequest, rest: AsyncIterator<WriteRequest>) {
    this.first = first;
    this.rest = rest;
    this.end = Number(first.writeOffset);
  }

  async *data(): AsyncIterable<Buffer> {
    let request: WriteRequest | undefined = this.first;
    while (request !== undefined) {
      this.check(request);
      this.end += request.data.length;
      this.finished = request.finishWrite;
      if (request.data.length > 0) yield request.data as Buffer;
      if (this.finished) return;
      const next: IteratorResult<WriteRequest> = await this.rest.next();
      request = next.done === true ? undefined : next.value;
    }
  }

  /** Reads all data without a use for them. */
  async skip(): Promise<void> {
    const data = this.data()[Symbol.asyncIterator]();
    while ((await data.next()).done !== true);
  }

  private check({ resourceName, writeOffset }: WriteRequest): void {
    if (resourceName !== "" && resourceName !== this.first.resourceName) {
      throw new CallError(Status.INVALID_ARGUMENT, "resource_name changed within the call");
    }
    if (writeOffset !== BigInt(this.end)) {
      throw new CallError(
        Status.INVALID_ARGUMENT,
        `write_offset is ${writeOffset}, but the data so far end at ${this.end}`,
      );
    }
  }
}

/** Where the level has the header (D06), it must say what the request says. */
function checkNameHeader(
  { behaviour: { level } }: ByteStreamParts,
  resourceName: string,
  { metadata }: CallContext,
): void {
  if (!knows(level, "behaviour:resource-name-header")) return;
  for (const value of metadata.get(NAME_HEADER)) {
    if (value === resourceName) continue;
    throw new CallError(
      Status.INVALID_ARGUMENT,
      `the header ${NAME_HEADER} names "${value}", the request "${resourceName}"`,
    );
  }
}
