/** Unary gRPC over the bridge's own HTTP/2: as cheap an upstream as this language has. For the benchmark only: nothing is bounded. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Budget } from "../../../src/http2/budget.ts";
import { Connection } from "../../../src/http2/connection.ts";
import { readAccepted } from "../../../src/http2/socket-reader.ts";
import type { Stream } from "../../../src/http2/stream.ts";
import { endCall, responseHead, trailerFields } from "../../../src/proxy/local-reply.ts";
import { readHead } from "../../../src/proxy/request-head.ts";
import { Status } from "../../../src/wire/status.ts";

/** A call that is answered with an error. */
export class Failure extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The only message of the answer to a request. @throws Failure. */
export type Answer = (path: string, request: Buffer) => Buffer;

const PREFIX_BYTES = 5;
const HEAD = responseHead();
const OK = trailerFields({ code: Status.OK, message: "" });
const NOTHING: Buffer = Buffer.alloc(0);

/** A server that is up, until it is closed and its clients are gone. */
export interface Serving {
  readonly port: number;
  close(): void;
}

/** Serves on a free port of 127.0.0.1. */
export async function serve(answer: Answer): Promise<Serving> {
  const counters = {
    ...{ in: 0, out: 0, connections: 0, connectionsTotal: 0, streams: 0, streamsTotal: 0 },
    ...{ resetsTotal: 0, protocolErrorsTotal: 0, floodsTotal: 0 },
  };
  const budget = new Budget(2 ** 30);
  const server = createServer({ noDelay: true }, (socket) => {
    const reader = readAccepted(socket, true);
    const connection = new Connection(
      socket,
      { role: "server", budget, counters, maxStreams: 10_000, maxHeaderList: 65_536 },
      {
        request: (stream, fields) => take(stream, readHead(fields).path, answer),
        ready() {},
        capacity() {},
        goingAway() {},
        closed() {},
      },
    );
    connection.reader = reader;
    reader.start(connection);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

function take(stream: Stream, path: string, answer: Answer): void {
  const parts: Buffer[] = [];
  stream.sink = {
    headers() {},
    data(buffer, start, end, fin) {
      // The memory is used again for the next read.
      if (end > start) parts.push(Buffer.from(buffer.subarray(start, end)));
      if (fin) reply(stream, () => answer(path, messageIn(parts)));
      return end - start;
    },
    reset() {},
    drained() {},
  };
}

function messageIn(parts: readonly Buffer[]): Buffer {
  const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  if (whole.length < PREFIX_BYTES || whole.readUInt32BE(1) !== whole.length - PREFIX_BYTES)
    throw new Failure(Status.INTERNAL, "a request of not exactly one message");
  return whole.subarray(PREFIX_BYTES);
}

function reply(stream: Stream, answer: () => Buffer): void {
  let message: Buffer = NOTHING;
  try {
    message = answer();
  } catch (error) {
    const code = error instanceof Failure ? error.code : Status.INTERNAL;
    endCall(stream, { code, message: (error as Error).message }, false);
    return;
  }
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, PREFIX_BYTES);
  stream.sendHeaders(HEAD, false);
  stream.send(framed, false);
  stream.sendHeaders(OK, true);
}
