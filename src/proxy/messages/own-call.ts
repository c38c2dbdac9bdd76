import type { Connection } from "../../http2/connection.ts";
import { ErrorCode, errorName } from "../../http2/constants.ts";
import { type Field, makeField } from "../../http2/hpack/field.ts";
import { internName } from "../../http2/hpack/name.ts";
import type { Stream } from "../../http2/stream.ts";
import { decodeGrpcMessage, Status } from "../../wire/status.ts";
import { formatTimeout } from "../../wire/timeout.ts";
import type { Core } from "../core.ts";
import type { UpstreamLink, WaitingCall } from "../upstream-link.ts";
import { CallError } from "./call-error.ts";
import { MessageStream } from "./message-stream.ts";
import { requestFields } from "./request-fields.ts";
import { responseMetadata } from "./response-metadata.ts";

const GRPC_STATUS = internName("grpc-status");
const GRPC_MESSAGE = internName("grpc-message");
const GRPC_DETAILS = internName("grpc-status-details-bin");
const TIMEOUT = internName("grpc-timeout");
/** What a reset means for gRPC (gRPC over HTTP/2, "Errors"); everything else is INTERNAL. */
const RESET_CODES: ReadonlyMap<number, number> = new Map<number, number>([
  [ErrorCode.REFUSED_STREAM, Status.UNAVAILABLE],
  [ErrorCode.CANCEL, Status.CANCELLED],
  [ErrorCode.ENHANCE_YOUR_CALM, Status.RESOURCE_EXHAUSTED],
  [ErrorCode.INADEQUATE_SECURITY, Status.PERMISSION_DENIED],
]);

/** On whose behalf the bridge calls. */
export interface Caller {
  /** The caller's metadata: what goes along with the call. */
  readonly metadata: readonly Field[];
  /** When the caller gives up, in milliseconds of `performance.now()`; null for never. */
  readonly deadline: number | null;
  /** Aborted when the caller is gone. */
  readonly cancelled: AbortSignal;
}

/**
 * A call of the bridge's own to the upstream, of any streaming shape. It carries the caller's metadata and what is left of the caller's
 * deadline, and ends when the caller does. Failures are `CallError`s: the upstream's own status, or UNAVAILABLE, DEADLINE_EXCEEDED
 * and CANCELLED of the bridge's.
 */
export class OwnCall implements WaitingCall {
  /** The response's head; rejects if the call fails before it. */
  readonly head: Promise<readonly Field[]>;
  /** The trailers of a call that ended with OK; rejects with a `CallError` for every other ending. */
  readonly trailers: Promise<readonly Field[]>;
  private readonly link: UpstreamLink;
  private readonly path: string;
  private readonly caller: Caller;
  private readonly resourceName: string | undefined;
  private readonly stream: MessageStream;
  private readonly opening = Promise.withResolvers<void>();
  private readonly heading = Promise.withResolvers<readonly Field[]>();
  private readonly ending = Promise.withResolvers<readonly Field[]>();
  private readonly timer: NodeJS.Timeout | null = null;
  private readonly onCancelled = (): void =>
    this.fail(new CallError(Status.CANCELLED, "the caller cancelled the call"));
  private http2: Stream | null = null;
  private over = false;

  /** `resourceName` is that of a ByteStream call, for the routing header. */
  constructor(core: Core, link: UpstreamLink, path: string, caller: Caller, resourceName?: string) {
    this.link = link;
    this.path = path;
    this.caller = caller;
    this.resourceName = resourceName;
    this.head = this.heading.promise;
    this.trailers = this.ending.promise;
    // Whoever does not look at them gets the failure from the messages.
    for (const promise of [this.opening.promise, this.head, this.trailers]) promise.catch(() => {});
    this.stream = new MessageStream(core.budget, core.config.limits.maxMessageBytes, {
      head: (fields) => this.heading.resolve(keep(fields)),
      ended: (fields) => this.ended(fields),
      reset: (code, why) => this.fail(this.resetError(code, why)),
      unreadable: (error) => this.fail(error),
    });
    if (caller.deadline !== null) {
      const left = Math.min(0x7fff_ffff, Math.max(0, caller.deadline - performance.now()));
      this.timer = setTimeout(() => this.expired(), left);
    }
    caller.cancelled.addEventListener("abort", this.onCancelled);
    if (caller.cancelled.aborted) this.onCancelled();
    else this.start();
  }

  /** Sends a message, given as slices; resolves when it is time for the next. */
  async write(message: readonly Buffer[]): Promise<void> {
    await this.opening.promise;
    await this.stream.write(message);
  }

  /** Ends the request. */
  async end(): Promise<void> {
    await this.opening.promise;
    this.http2?.send(Buffer.alloc(0), true);
  }

  /** The upstream's messages; throws the `CallError` of a call that does not end with OK. */
  async *messages(): AsyncGenerator<Buffer, void, void> {
    try {
      yield* this.stream.messages();
      await this.trailers;
    } finally {
      this.cancel();
    }
  }

  /** Ends the call, whatever it is doing, and drops what was not read. Whoever does not read `messages` to the end must call it. */
  cancel(): void {
    // Calls that have ended are cancelled all the same, and an error is dear: it takes its stack along.
    if (!this.over) this.fail(new CallError(Status.CANCELLED, "the bridge needs the answer no more"));
    this.stream.close();
  }

  // ---- from the link ----

  opened(connection: Connection): void {
    this.http2 = connection.open(this.requestHead(), false, this.stream);
    this.stream.attach(this.http2);
    this.opening.resolve();
  }

  unavailable(why: string): void {
    this.fail(
      new CallError(Status.UNAVAILABLE, `cannot reach the upstream ${this.link.upstream.display}: ${why}`),
    );
  }

  private ended(trailers: readonly Field[]): void {
    const fields = keep(trailers);
    this.stopSending();
    // A response of trailers only has its status in the head.
    this.heading.resolve(fields);
    const value = (name: object): string | undefined => fields.find((field) => field.name === name)?.value;
    const code = Number(value(GRPC_STATUS) ?? Status.UNKNOWN);
    if (code === Status.OK) return this.finish(() => this.ending.resolve(fields));
    const message = decodeGrpcMessage(value(GRPC_MESSAGE) ?? "");
    this.finish(() =>
      this.reject(new CallError(code, message, value(GRPC_DETAILS), true, responseMetadata(fields))),
    );
  }

  /** The answer is complete: what the upstream has not taken of the request it will not take. */
  private stopSending(): void {
    if (this.http2?.localDone === false) this.http2.reset(ErrorCode.CANCEL);
    this.stream.drained();
  }

  private resetError(code: number, why: string | null): CallError {
    const { display } = this.link.upstream;
    if (why !== null)
      return new CallError(Status.UNAVAILABLE, `lost the call to the upstream ${display}: ${why}`);
    const grpc = RESET_CODES.get(code) ?? Status.INTERNAL;
    return new CallError(
      grpc,
      `the upstream ${display} reset the call (${errorName(code)})`,
      undefined,
      true,
    );
  }

  private expired(): void {
    this.fail(new CallError(Status.DEADLINE_EXCEEDED, "the call's deadline passed"));
  }

  private fail(error: CallError): void {
    if (this.over) return;
    this.link.cancel(this);
    this.finish(() => this.reject(error));
    this.stream.close();
    this.http2?.reset(ErrorCode.CANCEL);
  }

  private reject(error: CallError): void {
    this.opening.reject(error);
    this.heading.reject(error);
    this.ending.reject(error);
  }

  private finish(settle: () => void): void {
    if (this.over) return;
    this.over = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.caller.cancelled.removeEventListener("abort", this.onCancelled);
    settle();
  }

  private start(): void {
    const connection = this.link.acquire(this);
    if (connection !== null) this.opened(connection);
  }

  private requestHead(): Field[] {
    const { metadata } = this.caller;
    const head = requestFields(this.path, this.link.upstream, metadata, this.resourceName);
    if (this.caller.deadline !== null) {
      head.push(makeField(TIMEOUT, formatTimeout(Math.max(1, this.caller.deadline - performance.now()))));
    }
    return head;
  }
}

function keep(fields: readonly Field[]): Field[] {
  for (const field of fields) field.retain();
  return fields.slice();
}
