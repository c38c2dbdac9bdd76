/** A store with plain blobs only, as exchanges see it behind `forward`; and exchanges as calls run them. */
import type { Plan } from "../../src/plan/plan.ts";
import { QUERY_WRITE_STATUS, READ, WRITE } from "../../src/translators/methods.ts";
import type { Forward } from "../../src/translators/translator.ts";
import { UpstreamError } from "../../src/upstream/upstream-error.ts";
import {
  readReadRequest,
  readWriteRequest,
  resourceNameIn,
  writeReadResponse,
  writeWriteResponse,
  writeWriteStatus,
} from "../../src/wire/byte-stream.ts";
import { parseResourceName } from "../../src/wire/resource-name.ts";
import { joined } from "../../src/wire/rewrite.ts";
import { Status } from "../../src/wire/status.ts";
import { sha256 } from "../support/reapi-client.ts";
import { call, forwards } from "./support.ts";

/** ByteStream in memory: it takes what comes in order, and checks the hash when a blob is finished. */
export class PlainStore {
  /** Content by hash. */
  readonly blobs = new Map<string, Buffer>();
  /** What came of uploads under way, by name. */
  readonly uploads = new Map<string, Buffer>();
  /** Calls that are not over. */
  open = 0;
  /** How a Read is answered in place of what was asked for. */
  onRead: ((request: Buffer) => Iterable<Buffer>) | null = null;

  forward(path: string): Forward {
    const methods: Record<string, Forward> = {
      [READ]: forwards((requests) => this.#read(requests)),
      [WRITE]: forwards((requests) => this.#write(requests)),
      [QUERY_WRITE_STATUS]: forwards((requests) => this.#status(requests)),
    };
    return (requests) => this.#counted(methods[path]!(requests));
  }

  async *#counted(answers: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
    this.open++;
    try {
      yield* answers;
    } finally {
      this.open--;
    }
  }

  async *#read(requests: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const request of requests) {
      const { resourceName, readOffset, readLimit } = readReadRequest(request);
      const { digest } = plainName(resourceName);
      const blob = this.blobs.get(digest.hash);
      if (blob === undefined) throw new UpstreamError(Status.NOT_FOUND, "no such blob");
      const end = readLimit === 0 ? blob.length : readOffset + readLimit;
      const parts = this.onRead?.(request) ?? inPieces(blob.subarray(readOffset, end));
      for (const part of parts) yield joined(writeReadResponse(part), part);
    }
  }

  async *#write(requests: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let upload = "";
    for await (const message of requests) {
      const { resourceName, writeOffset, finishWrite, data } = readWriteRequest(message);
      upload ||= resourceName;
      const { digest } = plainName(upload);
      if (this.blobs.has(digest.hash)) return yield committed(digest.sizeBytes);
      const before = this.uploads.get(upload) ?? Buffer.alloc(0);
      if (writeOffset !== before.length) throw new UpstreamError(Status.INVALID_ARGUMENT, "wrong offset");
      const now = Buffer.concat([before, data]);
      this.uploads.set(upload, now);
      if (!finishWrite) continue;
      if (sha256(now).hash !== digest.hash) throw new UpstreamError(Status.INVALID_ARGUMENT, "wrong hash");
      this.blobs.set(digest.hash, now);
      return yield committed(now.length);
    }
    yield committed(this.uploads.get(upload)?.length ?? 0);
  }

  async *#status(requests: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const request of requests) {
      const name = resourceNameIn(request)!;
      const { digest } = plainName(name);
      const isThere = this.blobs.has(digest.hash);
      const size = isThere ? digest.sizeBytes : (this.uploads.get(name)?.length ?? 0);
      yield joined(writeWriteStatus(size, isThere), request);
    }
  }
}

function plainName(name: string) {
  const parsed = parseResourceName(name);
  if (parsed === null || parsed.compressor !== null)
    throw new UpstreamError(Status.INVALID_ARGUMENT, `cannot read ${name}`);
  return parsed;
}

function committed(size: number): Buffer {
  return Buffer.concat(writeWriteResponse(size));
}

function* inPieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}

/** The answers of a call of a plan: through the exchanges that its first message wants, the outermost first. */
export async function exchanged(
  { methods, pair }: Plan,
  path: string,
  requests: readonly Buffer[],
  forward: Forward,
): Promise<Buffer[]> {
  const first = requests[0] ?? Buffer.alloc(0);
  const exchanges = methods.get(path)?.exchanges ?? [];
  const serving = exchanges.filter(
    ({ when }) => when?.({ bytes: first, whole: true, length: first.length }) ?? true,
  );
  const served = serving.reduceRight<Forward>(
    (next, { serve }) =>
      forwards(async function* (messages) {
        for await (const slices of serve(messages, call(path), pair, next))
          yield joined(slices, Buffer.alloc(0));
      }),
    forward,
  );
  const answers: Buffer[] = [];
  for await (const answer of served(requests)) answers.push(answer);
  return answers;
}
