/** A store in memory behind the batch methods of a server that holds its limits, as hooks meet it. */
import { codec } from "../../../../src/spec/codec.ts";
import type { Call, Forward } from "../../../../src/translators/translator.ts";
import { UpstreamError } from "../../../../src/upstream/upstream-error.ts";
import { formatDigest } from "../../../../src/wire/digest.ts";
import { Status } from "../../../../src/wire/status.ts";
import { MemoryUpstream } from "../../../support/memory-upstream.ts";
import { sha256, V2 } from "../../../support/reapi-client.ts";
import { call as callOf, forwards } from "../../../translators/support.ts";

/** How the server counts. */
interface ServerLimits {
  /** Bytes of a batch, at most, and whether only the blobs count. */
  readonly batch: number;
  readonly blobsOnly: boolean;
  /** Bytes of a message, at most. */
  readonly message: number;
}

/** One store, reached by forwarded calls and through the port. */
export class LimitedStore {
  readonly port = new MemoryUpstream();
  /** Requests that were forwarded, in order. */
  readonly forwarded: Buffer[] = [];
  /** How many forwarded calls went on at one time, at most. */
  most = 0;
  /** What to fail a forwarded call with, by its number. */
  failures: (index: number) => UpstreamError | null = () => null;
  private readonly limits: ServerLimits;
  private running = 0;

  constructor(limits: ServerLimits) {
    this.limits = limits;
  }

  /** A call with this store as its upstream. */
  call(method: string): Call {
    return callOf(method, this.port);
  }

  /** Forwards to a method of the server. */
  forward(method: "FindMissingBlobs" | "BatchUpdateBlobs" | "BatchReadBlobs"): Forward {
    const store = this;
    return forwards(async function* (requests) {
      for await (const request of requests) {
        const index = store.forwarded.push(request) - 1;
        store.most = Math.max(store.most, ++store.running);
        try {
          await new Promise((resolve) => setImmediate(resolve));
          const failure = store.failures(index);
          if (failure !== null) throw failure;
          yield await store.#answer(method, request);
        } finally {
          store.running--;
        }
      }
    });
  }

  async #answer(method: string, request: Buffer): Promise<Buffer> {
    const { port } = this;
    if (request.length > this.limits.message)
      throw new UpstreamError(Status.RESOURCE_EXHAUSTED, "the message is too long");
    if (method === "FindMissingBlobs") {
      const { blobDigests } = codec().decode(`${V2}.FindMissingBlobsRequest`, request);
      const missing = blobDigests.filter((digest) => !port.blobs.has(keyOf(digest)));
      return codec().encode(`${V2}.FindMissingBlobsResponse`, { missingBlobDigests: missing });
    }
    if (method === "BatchUpdateBlobs") {
      const { requests } = codec().decode(`${V2}.BatchUpdateBlobsRequest`, request);
      this.#check(
        requests.reduce((sum, { data }) => sum + data.length, 0),
        request.length,
      );
      const responses = requests.map(({ digest, data }) => {
        const right = formatDigest(sha256(data as Buffer)) === keyOf(digest);
        if (right) port.blobs.set(keyOf(digest), Buffer.from(data));
        return { digest, status: { code: right ? 0 : Status.INVALID_ARGUMENT } };
      });
      // In any order: the API promises none.
      return codec().encode(`${V2}.BatchUpdateBlobsResponse`, { responses: responses.reverse() });
    }
    const { digests } = codec().decode(`${V2}.BatchReadBlobsRequest`, request);
    const responses = digests.map((digest) => {
      const data = port.blobs.get(keyOf(digest));
      return data === undefined
        ? { digest, status: { code: Status.NOT_FOUND } }
        : { digest, data, status: { code: 0 } };
    });
    const answer = codec().encode(`${V2}.BatchReadBlobsResponse`, { responses: responses.reverse() });
    this.#check(
      digests.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes), 0),
      answer.length,
    );
    return answer;
  }

  #check(blobBytes: number, messageBytes: number): void {
    const { batch, blobsOnly } = this.limits;
    if ((blobsOnly ? blobBytes : messageBytes) <= batch) return;
    throw new UpstreamError(Status.INVALID_ARGUMENT, "the batch is too large");
  }
}

/** `hash/size`. */
export function keyOf(digest: { readonly hash: string; readonly sizeBytes: bigint | number } | null): string {
  return `${digest?.hash}/${digest?.sizeBytes}`;
}

/** The messages of a request that has one. */
export async function* one(message: Buffer): AsyncGenerator<Buffer> {
  yield message;
}

/** The only answer of an exchange. */
export async function answerOf(answers: AsyncIterable<readonly Buffer[]>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const slices of answers) all.push(slices.length === 1 ? slices[0]! : Buffer.concat(slices));
  if (all.length !== 1) throw new Error(`there are ${all.length} answers`);
  return all[0]!;
}
