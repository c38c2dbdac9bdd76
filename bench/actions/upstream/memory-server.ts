/**
 * A server that runs nothing: blobs and results in memory, and an answer to Execute at once, with a result made up from the Command. What it is sent it
 * takes on trust, and it counts what it is asked for.
 */
import { codec } from "../../../src/spec/codec.ts";
import * as methods from "../../../src/upstream/methods.ts";
import { type Digest, encodeDigest, formatDigest, readDigest } from "../../../src/wire/digest.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { Status } from "../../../src/wire/status.ts";
import { Walker } from "../../../src/wire/walker.ts";
import { Failure } from "./grpc-server.ts";
import { finishedOperation, resultOf } from "./made-up-result.ts";

/** What was asked for. */
export interface Uses {
  /** Calls by the name of their method. */
  readonly calls: Record<string, number>;
  /** Blobs that were read, asked about, and written. */
  readonly blobs: { read: number; asked: number; written: number };
}

/** Field numbers of requests. */
const Field = { blobs: 2, lookedUp: 2, executed: 6 } as const;

/** Blobs, results, and answers to calls. */
export class MemoryServer {
  private readonly blobs = new Map<string, Buffer>();
  private readonly results = new Map<string, Buffer>();
  /** The action of the last execution. */
  ran: Digest | null = null;
  private uses: Uses = { calls: {}, blobs: { read: 0, asked: 0, written: 0 } };
  private readonly answers: Readonly<Record<string, (request: Buffer) => Buffer>> = {
    [methods.GET_CAPABILITIES]: () => CAPABILITIES,
    [methods.FIND_MISSING]: (request) => this.findMissing(request),
    [methods.BATCH_READ]: (request) => this.read(request),
    [methods.BATCH_UPDATE]: (request) => this.write(request),
    [methods.READ]: (request) => this.stream(request),
    [methods.EXECUTE]: (request) => this.execute(request),
    [methods.GET_ACTION_RESULT]: (request) => this.lookUp(request),
  };

  /** The answer to a call. @throws Failure. */
  answer(path: string, request: Buffer): Buffer {
    const name = path.slice(path.lastIndexOf("/") + 1);
    this.uses.calls[name] = (this.uses.calls[name] ?? 0) + 1;
    const answer = this.answers[path];
    if (answer === undefined) throw new Failure(Status.UNIMPLEMENTED, path);
    return answer(request);
  }

  /** What was asked for since this was last asked. */
  takeUses(): Uses {
    const { uses } = this;
    this.uses = { calls: {}, blobs: { read: 0, asked: 0, written: 0 } };
    return uses;
  }

  /** Forgets all blobs and results. */
  clear(): void {
    this.blobs.clear();
    this.results.clear();
  }

  private findMissing(request: Buffer): Buffer {
    const out = new FieldWriter();
    for (const digest of digestsIn(request, Field.blobs)) {
      this.uses.blobs.asked++;
      if (!this.has(digest)) out.bytes(2, encodeDigest(digest));
    }
    return out.toBuffer();
  }

  private read(request: Buffer): Buffer {
    const out = new FieldWriter();
    for (const digest of digestsIn(request, Field.blobs)) {
      this.uses.blobs.read++;
      const entry = new FieldWriter();
      entry.bytes(1, encodeDigest(digest));
      if (this.has(digest)) entry.bytes(2, this.blob(digest));
      else entry.message(3, NOT_FOUND);
      out.message(1, entry.finish());
    }
    return out.toBuffer();
  }

  private write(request: Buffer): Buffer {
    const out = new FieldWriter();
    const field = new Walker(request);
    while (field.next()) {
      if (field.number !== Field.blobs) continue;
      this.uses.blobs.written++;
      let bytes = NOTHING;
      let digest: Digest | null = null;
      const entry = field.enter();
      while (entry.next()) {
        if (entry.number === 1) digest = readDigest(entry.enter());
        else if (entry.number === 2) bytes = entry.bytes();
      }
      this.store(digest!, bytes);
      const response = new FieldWriter();
      response.bytes(1, encodeDigest(digest!));
      out.message(1, response.finish());
    }
    return out.toBuffer();
  }

  /** Reads have one message here, whatever their length. */
  private stream(request: Buffer): Buffer {
    const { resourceName } = codec().decode("google.bytestream.ReadRequest", request);
    const [hash, size] = resourceName.split("/").slice(-2);
    this.uses.blobs.read++;
    const out = new FieldWriter();
    out.bytes(10, this.blob({ hash: hash!, sizeBytes: Number(size) }));
    return out.toBuffer();
  }

  private execute(request: Buffer): Buffer {
    const [action] = digestsIn(request, Field.executed);
    this.ran = action!;
    const key = formatDigest(action!);
    let result = this.results.get(key);
    if (result === undefined) {
      const made = resultOf(key, this.blob(action!), (digest) => this.blob(digest));
      for (const { digest, bytes } of made.trees) this.store(digest, bytes);
      result = made.result;
      this.results.set(key, result);
    }
    return finishedOperation(action!, result);
  }

  private lookUp(request: Buffer): Buffer {
    const [action] = digestsIn(request, Field.lookedUp);
    const result = this.results.get(formatDigest(action!));
    if (result === undefined) throw new Failure(Status.NOT_FOUND, "no result");
    return result;
  }

  private has(digest: Digest): boolean {
    return this.blobs.has(formatDigest(digest));
  }

  private store(digest: Digest, bytes: Buffer): void {
    this.blobs.set(formatDigest(digest), bytes);
  }

  private blob(digest: Digest): Buffer {
    const found = this.blobs.get(formatDigest(digest));
    if (found === undefined) throw new Failure(Status.NOT_FOUND, formatDigest(digest));
    return found;
  }
}

function digestsIn(request: Buffer, number: number): Digest[] {
  const digests: Digest[] = [];
  const field = new Walker(request);
  while (field.next()) if (field.number === number) digests.push(readDigest(field.enter()));
  return digests;
}

const NOTHING: Buffer = Buffer.alloc(0);
const NOT_FOUND = [codec().encode("google.rpc.Status", { code: Status.NOT_FOUND, message: "not stored" })];
/** SHA256, batches of 4 MiB, and every version that has a range. */
const CAPABILITIES = codec().encode("build.bazel.remote.execution.v2.ServerCapabilities", {
  cacheCapabilities: {
    digestFunctions: [1],
    actionCacheUpdateCapabilities: { updateEnabled: true },
    maxBatchTotalSizeBytes: 4n << 20n,
  },
  executionCapabilities: { digestFunction: 1, digestFunctions: [1], execEnabled: true },
  lowApiVersion: { major: 2 },
  highApiVersion: { major: 2, minor: 12 },
});
