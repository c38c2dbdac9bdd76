/** A server that answers calls of the API with bytes, and remembers who asked for what. */
import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { allMethods } from "../../src/spec/methods.ts";
import { Status } from "../../src/wire/status.ts";

/** A call as it came; of a client's stream, with the first message. */
export interface Recorded {
  /** `Service/Method`. */
  readonly method: string;
  readonly request: Buffer;
  readonly metadata: grpc.Metadata;
  /** Milliseconds that the call may take; Infinity for as long as it likes. */
  readonly timeoutMs: number;
}

/** Makes an answer; throws a {@link Refusal} for another. */
export type Answer = (call: Recorded) => Buffer | Promise<Buffer>;

/** Ends a call with an error. */
export class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Handlers by `Service/Method`; may change under way. */
export type Answers = Record<string, Answer>;

const EMPTY = Buffer.alloc(0);

function refuse(code: number, message: string): Answer {
  return () => {
    throw new Refusal(code, message);
  };
}

/** What any server says to the harmless questions; of it nobody is recognised. */
const BASIS: Readonly<Answers> = {
  "ContentAddressableStorage/FindMissingBlobs": () => EMPTY,
  "ContentAddressableStorage/BatchReadBlobs": () => EMPTY,
  "ContentAddressableStorage/BatchUpdateBlobs": () => EMPTY,
  "ContentAddressableStorage/GetTree": refuse(Status.NOT_FOUND, "no tree"),
  "ByteStream/Read": refuse(Status.INVALID_ARGUMENT, "no name"),
  "Fetch/FetchBlob": refuse(Status.INVALID_ARGUMENT, "no uri"),
};

/** One that runs. */
export interface RecordingServer {
  readonly address: string;
  readonly calls: Recorded[];
  /** The calls of one method, `Service/Method`. */
  of(method: string): Recorded[];
  /** Cuts all connections and is there no more. */
  stop(): void;
}

/** Starts one, gone when the test is over. Methods without an answer are UNIMPLEMENTED; `extra` are paths of vendors. */
export async function recordingServer(
  t: TestContext,
  answers: Answers,
  { address = "127.0.0.1:0", extra = [] }: { address?: string; extra?: readonly string[] } = {},
): Promise<RecordingServer> {
  const calls: Recorded[] = [];
  const answer = async (path: string, call: grpc.ServerUnaryCall<Buffer, Buffer>, request: Buffer) => {
    const method = path.replace(/^.*\.(?=\w+\/)/, "").replace(/^\//, "");
    const deadline = call.getDeadline();
    const timeoutMs = Number(deadline) - Date.now();
    // The bridge's own look at its upstream when it starts is no caller's.
    if (call.metadata.get("reapi-bridge-probe").length > 0) return EMPTY;
    const recorded = { method, request, metadata: call.metadata, timeoutMs };
    calls.push(recorded);
    const make = answers[method] ?? BASIS[method] ?? refuse(Status.UNIMPLEMENTED, `${path} is not here`);
    return make(recorded);
  };
  const server = new grpc.Server({ "grpc.max_send_message_length": -1 });
  const vendors = extra.map((path) => ({ path, clientStreaming: false, serverStreaming: false }));
  for (const { path, clientStreaming, serverStreaming } of [...allMethods(), ...vendors]) {
    server.register(
      path,
      handler(clientStreaming, serverStreaming, (call, request) => answer(path, call, request)),
      same,
      same,
      typeOf(clientStreaming, serverStreaming),
    );
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  );
  const port = await promise;
  const stop = () => server.forceShutdown();
  t.after(stop);
  return {
    address: `127.0.0.1:${port}`,
    calls,
    of: (method) => calls.filter((call) => call.method === method),
    stop,
  };
}

const same = (bytes: Buffer): Buffer => bytes;

function typeOf(clientStreaming: boolean, serverStreaming: boolean): string {
  if (clientStreaming) return serverStreaming ? "bidi" : "clientStream";
  return serverStreaming ? "serverStream" : "unary";
}

// biome-ignore lint/suspicious/noExplicitAny: grpc-js has a type for each of four shapes, and this is all of them.
type AnyCall = any;

function handler(
  clientStreaming: boolean,
  serverStreaming: boolean,
  answer: (call: AnyCall, request: Buffer) => Promise<Buffer>,
) {
  return (call: AnyCall, done: grpc.sendUnaryData<Buffer>) => {
    const fail = (error: Refusal) => {
      const ending = { code: error.code ?? Status.INTERNAL, details: error.message };
      if (serverStreaming) call.emit("error", ending);
      else done(ending);
    };
    const run = (request: Buffer) =>
      answer(call, request).then((response) => {
        if (!serverStreaming) return done(null, response);
        call.write(response);
        call.end();
      }, fail);
    if (!clientStreaming) return void run(call.request);
    let first: Buffer | null = null;
    call.on("data", (message: Buffer) => {
      if (first === null && serverStreaming) void run(message);
      first ??= message;
    });
    call.on("end", () => {
      if (!serverStreaming) void run(first ?? EMPTY);
    });
  };
}
