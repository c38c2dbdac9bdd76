import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";

/** The service of the tests: its messages are bytes without meaning. */
const SERVICE = "/test.Shapes/";
const asIs = (bytes: Buffer): Buffer => bytes;

/** What a call of each shape does; shapes without a handler are UNIMPLEMENTED. */
export interface Handlers {
  Unary?: grpc.handleUnaryCall<Buffer, Buffer>;
  ServerStream?: grpc.handleServerStreamingCall<Buffer, Buffer>;
  ClientStream?: grpc.handleClientStreamingCall<Buffer, Buffer>;
  Bidi?: grpc.handleBidiStreamingCall<Buffer, Buffer>;
}

const SHAPES = {
  Unary: { requestStream: false, responseStream: false },
  ServerStream: { requestStream: false, responseStream: true },
  ClientStream: { requestStream: true, responseStream: false },
  Bidi: { requestStream: true, responseStream: true },
} as const;

function serviceOf(handlers: Handlers): grpc.ServiceDefinition {
  const methods = Object.keys(handlers).map((name) => [
    name,
    {
      path: SERVICE + name,
      ...SHAPES[name as keyof Handlers],
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  ]);
  return Object.fromEntries(methods) as grpc.ServiceDefinition;
}

/** A grpc-js server at `address` (by default an ephemeral port), gone when the test is over; returns where it is. */
export async function grpcServer(
  t: TestContext,
  handlers: Handlers,
  options: { credentials?: grpc.ServerCredentials; address?: string; options?: grpc.ServerOptions } = {},
): Promise<string> {
  const server = new grpc.Server(options.options);
  server.addService(serviceOf(handlers), handlers as grpc.UntypedServiceImplementation);
  const credentials = options.credentials ?? grpc.ServerCredentials.createInsecure();
  const address = options.address ?? "127.0.0.1:0";
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  const port = await promise;
  t.after(() => server.forceShutdown());
  return address.replace(/:0$/, `:${port}`);
}

/** How a call went, seen by its caller. */
export interface Outcome {
  readonly code: number;
  readonly details: string;
  readonly messages: Buffer[];
  readonly head: grpc.Metadata | null;
  readonly trailers: grpc.Metadata;
}

/** A grpc-js client of the test service. */
export class GrpcClient {
  private readonly client: grpc.Client;

  constructor(
    t: TestContext,
    address: string,
    credentials: grpc.ChannelCredentials = grpc.credentials.createInsecure(),
    options: grpc.ClientOptions = {},
  ) {
    // A subchannel pool of its own: clients of other tests must not lend their connections.
    this.client = new grpc.Client(address, credentials, {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
      ...options,
    });
    t.after(() => this.client.close());
  }

  /** Leaves before the test is over. */
  close(): void {
    this.client.close();
  }

  /** Opens a call in its raw form: any number of messages either way. */
  open(
    method: string,
    metadata: grpc.Metadata = new grpc.Metadata(),
    options: grpc.CallOptions = {},
  ): grpc.ClientDuplexStream<Buffer, Buffer> {
    return this.client.makeBidiStreamRequest(SERVICE + method, asIs, asIs, metadata, options);
  }

  /** Sends `messages`, ends, and waits for the end of the call. */
  async call(
    method: string,
    messages: readonly Buffer[],
    metadata?: grpc.Metadata,
    options?: grpc.CallOptions,
  ): Promise<Outcome> {
    const call = this.open(method, metadata, options);
    for (const message of messages) call.write(message);
    call.end();
    return outcomeOf(call);
  }
}

/** Reads a call to its end, whichever it is. */
export function outcomeOf(call: grpc.ClientDuplexStream<Buffer, Buffer>): Promise<Outcome> {
  const messages: Buffer[] = [];
  let head: grpc.Metadata | null = null;
  return new Promise((resolve) => {
    call.on("data", (message: Buffer) => void messages.push(message));
    call.on("metadata", (metadata) => {
      head = metadata;
    });
    call.on("error", () => {});
    call.on("status", ({ code, details, metadata }) => {
      // The status may overtake the last message.
      setImmediate(() => resolve({ code, details, messages, head, trailers: metadata }));
    });
  });
}
