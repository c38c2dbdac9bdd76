import { checkDigest, type Digest, formatDigest, readDigest } from "../wire/digest.ts";
import { type DigestFunction, inferDigestFunction } from "../wire/digest-function.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { formatResourceName } from "../wire/resource-name.ts";
import { rewriteMessage } from "../wire/rewrite.ts";
import { Status } from "../wire/status.ts";
import { Walker } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Caller } from "./caller.ts";
import type { UpstreamDialect } from "./dialect.ts";
import { exchange, type Message, onlyResponse } from "./exchange.ts";
import { UpstreamError } from "./upstream-error.ts";

/** The field of the instance name in every request that has one. */
const INSTANCE_NAME = 1;

/** What a port is for. */
export interface SessionOptions {
  readonly caller: Caller;
  readonly dialect: UpstreamDialect;
  /** The instance as the upstream calls it. */
  readonly instance: string;
  /** The function of every digest; null to tell by the length of each hash, as the upstream would (D08). */
  readonly digestFunction: DigestFunction | null;
}

/** Where a request has its digest and its digest function. */
interface DigestFields {
  readonly digest: number;
  readonly digestFunction: number;
}

/** What all calls of a port share: for whom they are, and how requests name instance, function and blobs. */
export class Session {
  readonly caller: Caller;
  readonly dialect: UpstreamDialect;
  private readonly instance: string;
  private readonly digestFunction: DigestFunction | null;
  private kept = 0;
  private closed = false;

  constructor({ caller, dialect, instance, digestFunction }: SessionOptions) {
    this.caller = caller;
    this.dialect = dialect;
    this.instance = instance;
    this.digestFunction = digestFunction;
  }

  /** Checks a digest and returns the function it was made with. @throws UpstreamError INVALID_ARGUMENT. */
  functionOf(digest: Digest): DigestFunction {
    try {
      checkDigest(digest, this.digestFunction);
    } catch (error) {
      if (error instanceof WireError) throw new UpstreamError(Status.INVALID_ARGUMENT, error.message);
      throw error;
    }
    const { length } = digest.hash;
    const found = this.digestFunction ?? inferDigestFunction(length, this.dialect.digestFunctions);
    if (found !== null) return found;
    const message = `${formatDigest(digest)}: the upstream offers no digest function with hashes of ${length} digits that may be left unsaid`;
    throw new UpstreamError(Status.INVALID_ARGUMENT, message);
  }

  /** Digests, each once, by their function. @throws UpstreamError as {@link functionOf}. */
  byFunction<Item extends { readonly digest: Digest }>(items: readonly Item[]): Map<DigestFunction, Item[]> {
    const distinct = new Map(items.map((item) => [formatDigest(item.digest), item]));
    return Map.groupBy(distinct.values(), ({ digest }) => this.functionOf(digest));
  }

  /** A request about digests of one function; `fill` adds its other fields. */
  request(functionField: number, digestFunction: DigestFunction, fill: (out: FieldWriter) => void): Message {
    const out = new FieldWriter();
    this.writeHead(out, functionField, digestFunction);
    fill(out);
    return out.finish();
  }

  /** A request that names only the instance. */
  instanceRequest(): Message {
    const out = new FieldWriter();
    this.writeHead(out, 0, null);
    return out.finish();
  }

  /**
   * Somebody's request with this session's instance name and digest function in place of its own.
   * @throws UpstreamError INVALID_ARGUMENT if it cannot be read.
   */
  stamp(request: Buffer, fields: DigestFields): Message {
    try {
      let digest: Digest | null = null;
      const stamped = rewriteMessage(
        new Walker(request),
        (field) => {
          if (field.number === fields.digest) digest = readDigest(field.enter());
          return field.number === INSTANCE_NAME || field.number === fields.digestFunction ? "drop" : "keep";
        },
        (out) => {
          const digestFunction = digest === null ? this.digestFunction : this.functionOf(digest);
          this.writeHead(out, fields.digestFunction, digestFunction);
        },
      );
      return stamped ?? [request];
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw new UpstreamError(Status.INVALID_ARGUMENT, `the request cannot be read: ${error.message}`);
    }
  }

  /** The name of a blob in calls of ByteStream; `upload` is an id for the upload, null in the name of a read. */
  blobName(digest: Digest, digestFunction: DigestFunction, upload: string | null): string {
    return formatResourceName({
      instance: this.instance,
      upload,
      compressor: null,
      digestFunction: digestFunction.implicit || !this.dialect.functionSegment ? null : digestFunction,
      digest,
      metadata: null,
    });
  }

  /** A call with one request and any number of responses. */
  call(path: string, request: Message): AsyncGenerator<Buffer, void, void> {
    return exchange(() => this.caller.open(path), [request]);
  }

  /** A call with one request and one response, which is to be used at once. */
  answer(path: string, request: Message): Promise<Buffer> {
    return onlyResponse(path, this.call(path, request));
  }

  /** A call with one request and one response, which counts against the budget until the session ends. */
  async keptAnswer(path: string, request: Message): Promise<Buffer> {
    const response = await this.answer(path, request);
    this.keep(response.length);
    return response;
  }

  /**
   * Counts bytes until they are released or the session ends.
   * @throws UpstreamError RESOURCE_EXHAUSTED if there is no room; CANCELLED if the session has ended.
   */
  keep(bytes: number): void {
    if (this.closed) throw new UpstreamError(Status.CANCELLED, "the call that this was for is over");
    const { budget } = this.caller;
    if (bytes > budget.free) {
      throw new UpstreamError(
        Status.RESOURCE_EXHAUSTED,
        `the bridge has no memory for ${bytes} bytes more; try again later`,
      );
    }
    budget.charge(bytes);
    this.kept += bytes;
  }

  /** Counts bytes no more that were kept. */
  release(bytes: number): void {
    if (this.closed) return;
    this.caller.budget.charge(-bytes);
    this.kept -= bytes;
  }

  /** Gives back all that was kept. What is still going on ends with the caller, and is counted no more. */
  close(): void {
    this.release(this.kept);
    this.closed = true;
  }

  private writeHead(out: FieldWriter, functionField: number, digestFunction: DigestFunction | null): void {
    if (this.instance !== "") out.text(INSTANCE_NAME, this.instance);
    if (digestFunction !== null && this.dialect.digestFunctionField) {
      out.varint(functionField, digestFunction.number);
    }
  }
}
