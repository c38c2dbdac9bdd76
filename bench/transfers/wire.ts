/** gRPC over node:http2, as far as transfers need it: whoever measures has it at both ends, and it costs the bridge nothing. */
import type { ClientHttp2Session, ClientHttp2Stream, ServerHttp2Stream } from "node:http2";
import { PREFIX_BYTES, writePrefix } from "../../src/wire/envelope.ts";

/** Messages of a stream, as they come. @throws Error where it ends inside of one. */
export async function* messages(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let pieces: Buffer[] = [];
  let held = 0;
  let wanted = PREFIX_BYTES;
  for await (const piece of stream) {
    pieces.push(piece);
    held += piece.length;
    while (held >= wanted) {
      const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
      const whole = PREFIX_BYTES + bytes.readUInt32BE(1);
      pieces = [bytes];
      wanted = whole;
      if (held < whole) break;
      yield bytes.subarray(PREFIX_BYTES, whole);
      pieces = [bytes.subarray(whole)];
      held -= whole;
      wanted = PREFIX_BYTES;
    }
  }
  if (held > 0) throw new Error("the stream ends inside of a message");
}

/** A message in its envelope. */
export function framed(slices: readonly Buffer[]): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  writePrefix(
    prefix,
    0,
    slices.reduce((sum, { length }) => sum + length, 0),
  );
  return Buffer.concat([prefix, ...slices]);
}

/** Sends bytes, and waits where the peer is slower. */
export async function send(stream: ClientHttp2Stream | ServerHttp2Stream, bytes: Buffer): Promise<void> {
  if (stream.destroyed || stream.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
}

/** One call to its end: sends framed requests, and returns the bytes of all answers together. @throws Error for any status but OK. */
export async function call(
  session: ClientHttp2Session,
  path: string,
  requests: Iterable<Buffer>,
  each: (message: Buffer) => void = () => {},
): Promise<number> {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status: string | undefined;
  let text = "";
  const note = (headers: NodeJS.Dict<string | string[]>) => {
    if (headers["grpc-status"] === undefined) return;
    status = String(headers["grpc-status"]);
    text = String(headers["grpc-message"] ?? "");
  };
  stream.on("response", note);
  stream.on("trailers", note);
  const sent = (async () => {
    for (const request of requests) await send(stream, request);
    stream.end();
  })();
  let bytes = 0;
  for await (const message of messages(stream)) {
    bytes += message.length;
    each(message);
  }
  await sent;
  if (status !== "0") throw new Error(`${path} ended with ${status}: ${decodeURIComponent(text)}`);
  return bytes;
}
