import { once } from "node:events";
import type {
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  Server,
  ServerWritableStream,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import { type Codec, codec, type Draft, type MessageName } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { knows, since } from "../../spec/ledger.ts";
import { type Method, methodAt } from "../../spec/methods.ts";
import { NEWEST } from "../../spec/versions.ts";
import { Status } from "../../wire/status.ts";
import type { Behaviour } from "../behaviour/behaviour.ts";
import { checkInstance } from "../behaviour/instances.ts";
import { CallError } from "../call-error.ts";
import { serviceErrorOf } from "./status-of.ts";

/** A message of the Remote Execution API. */
export type V2<Name extends string> = `build.bazel.remote.execution.v2.${Name}` extends infer Full extends
  MessageName
  ? Messages[Full]
  : never;

/** What a handler may answer with: a message, or the bytes of one that must go out as they are. */
export type Answer<T> = Draft<T> | Buffer;

/** What a handler may know about its call, besides the requests. */
export interface CallContext {
  /** Aborted when the caller has gone or its deadline has passed. */
  readonly signal: AbortSignal;
  readonly metadata: Metadata;
  /** Bytes of the request; 0 where there are several. */
  readonly requestBytes: number;
}

const FUNCTION_FIELD = "build.bazel.remote.execution.v2.FindMissingBlobsRequest.digest_function";
const COMPRESSOR_FIELD = "build.bazel.remote.execution.v2.BatchUpdateBlobsRequest.Request.compressor";
const BATCHES: readonly string[] = [
  "build.bazel.remote.execution.v2.BatchUpdateBlobsRequest",
  "build.bazel.remote.execution.v2.BatchReadBlobsRequest",
];
const REQUEST_METADATA = "build.bazel.remote.execution.v2.requestmetadata-bin";

const same = (bytes: Buffer): Buffer => bytes;

/**
 * Registers the methods of a server. A method it lacks is not registered, so that calls of it get UNIMPLEMENTED. Messages are read and
 * written as its level knows them, those of methods newer than that as the newest does; errors that handlers throw become statuses
 * ({@link serviceErrorOf}).
 */
export class Methods {
  /** The paths of all that were registered. */
  readonly paths = new Set<string>();
  /** How many calls of each have come. */
  readonly calls = new Map<string, number>();
  private readonly server: Server;
  private readonly behaviour: Behaviour;
  private readonly readsFunctionAsLevel: boolean;

  constructor(server: Server, behaviour: Behaviour) {
    this.server = server;
    this.behaviour = behaviour;
    this.readsFunctionAsLevel = knows(behaviour.level, FUNCTION_FIELD) === behaviour.readsFunctionField;
  }

  /** One request, one response. */
  unary<Request, Response>(
    path: string,
    handle: (request: Request, call: CallContext) => Promise<Answer<Response>>,
  ): void {
    this.register(
      path,
      "unary",
      (method): handleUnaryCall<Buffer, Buffer> =>
        (call, respond) => {
          const context = this.begin(method, call, call.request.length);
          this.respond(
            method,
            async () => {
              this.checkMetadata(context);
              return handle(this.read(method, call.request), context);
            },
            respond,
          );
        },
    );
  }

  /** One request, any number of responses, asked of the handler as fast as the caller reads them. */
  serverStreaming<Request, Response>(
    path: string,
    handle: (request: Request, call: CallContext) => AsyncIterable<Answer<Response>>,
  ): void {
    this.register(
      path,
      "serverStream",
      (method): handleServerStreamingCall<Buffer, Buffer> =>
        async (call) => {
          const context = this.begin(method, call, call.request.length);
          try {
            this.checkMetadata(context);
            await writeAll(
              call,
              context.signal,
              this.encodeEach(method, handle(this.read(method, call.request), context)),
            );
          } catch (error) {
            if (!context.signal.aborted) call.emit("error", serviceErrorOf(error));
          }
        },
    );
  }

  /** Any number of requests, read as fast as the handler asks for them, and one response, at any time. */
  clientStreaming<Request, Response>(
    path: string,
    handle: (requests: AsyncIterable<Request>, call: CallContext) => Promise<Answer<Response>>,
  ): void {
    this.register(
      path,
      "clientStream",
      (method): handleClientStreamingCall<Buffer, Buffer> =>
        (call, respond) => {
          const context = this.begin(method, call, 0);
          // Left open on return: a destroyed stream could not carry an answer that comes before the last request.
          const requests = call.iterator({ destroyOnReturn: false });
          this.respond(
            method,
            async () => {
              this.checkMetadata(context);
              return handle(this.readEach(method, requests), context);
            },
            respond,
          );
        },
    );
  }

  private register(path: string, type: string, make: (method: Method) => UntypedHandleCall): void {
    const method = methodAt(path);
    if (method === undefined) throw new RangeError(`the API has no method ${path}`);
    if (!this.behaviour.methods.has(path)) return;
    this.server.register(path, make(method), same, same, type);
    this.paths.add(path);
  }

  /** Makes calls of a method it lacks end with this text, where the server is known by it. */
  absent(path: string, text: string): void {
    const handle: handleUnaryCall<Buffer, Buffer> = (_, respond) =>
      respond(serviceErrorOf(new CallError(Status.UNIMPLEMENTED, text)));
    this.server.register(path, handle, same, same, "unary");
  }

  private begin(
    { path }: Method,
    call: Parameters<typeof endOf>[0] & { readonly metadata: Metadata },
    requestBytes: number,
  ): CallContext {
    this.calls.set(path, (this.calls.get(path) ?? 0) + 1);
    return { signal: endOf(call), metadata: call.metadata, requestBytes };
  }

  private checkMetadata({ metadata }: CallContext): void {
    if (!this.behaviour.refusesRepeatedMetadata || metadata.get(REQUEST_METADATA).length < 2) return;
    throw new CallError(Status.INVALID_ARGUMENT, `the header ${REQUEST_METADATA} is there twice`);
  }

  private codecOf({ element, request }: Method): Codec {
    const { level, transfer } = this.behaviour;
    if (!knows(level, element)) return codec(NEWEST);
    // Some servers have compressors before they follow the level that brought them.
    const early = transfer.batchCompressors.length > 0 && BATCHES.includes(request);
    return codec(early && !knows(level, COMPRESSOR_FIELD) ? since(COMPRESSOR_FIELD) : level);
  }

  private respond(
    method: Method,
    handle: () => Promise<unknown>,
    respond: (error: ReturnType<typeof serviceErrorOf> | null, value?: Buffer) => void,
  ): void {
    handle()
      .then((answer) => this.encode(method, answer))
      .then(
        (bytes) => respond(null, bytes),
        (error: unknown) => respond(serviceErrorOf(error)),
      );
  }

  private read<Request>(method: Method, bytes: Buffer): Request {
    const request = this.codecOf(method).decode(method.request, bytes) as { digestFunction?: number };
    if (request.digestFunction !== undefined && !this.readsFunctionAsLevel) {
      request.digestFunction = this.functionIn(method, bytes);
    }
    if ("instanceName" in request) checkInstance(this.behaviour, request.instanceName as string);
    return request as Request;
  }

  /** The digest function that a request names, for a server that looks at it before its level has it, or never (D08). */
  private functionIn({ request }: Method, bytes: Buffer): number {
    if (!this.behaviour.readsFunctionField) return 0;
    return (codec().decode(request, bytes) as { digestFunction: number }).digestFunction;
  }

  private async *readEach<Request>(method: Method, messages: AsyncIterable<Buffer>): AsyncIterable<Request> {
    for await (const bytes of messages) yield this.read<Request>(method, bytes);
  }

  private encode(method: Method, answer: unknown): Buffer {
    return Buffer.isBuffer(answer) ? answer : this.codecOf(method).encode(method.response, answer as object);
  }

  private async *encodeEach(method: Method, answers: AsyncIterable<unknown>): AsyncIterable<Buffer> {
    for await (const answer of answers) yield this.encode(method, answer);
  }
}

function endOf(call: { once(event: "cancelled", listener: () => void): unknown }): AbortSignal {
  const ended = new AbortController();
  call.once("cancelled", () => ended.abort());
  return ended.signal;
}

async function writeAll(
  call: ServerWritableStream<Buffer, Buffer>,
  signal: AbortSignal,
  messages: AsyncIterable<Buffer>,
): Promise<void> {
  for await (const message of messages) {
    if (signal.aborted) return;
    if (!call.write(message)) await once(call, "drain", { signal });
  }
  call.end();
}
