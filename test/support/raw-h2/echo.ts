import { Bit, Code, data, type Frame, reset, Type } from "./frames.ts";
import type { RawPeer } from "./peer.ts";
import { type RawServer, startRawServer } from "./server.ts";

/** Response headers of a gRPC server that is about to send messages. */
export const OK_HEADERS: [string, string][] = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];

/** Trailers of a call that went well. */
export const OK_TRAILERS: [string, string][] = [["grpc-status", "0"]];

/**
 * Starts a well-behaved upstream: it answers each request with headers at once, sends every DATA byte back, and ends with
 * `grpc-status: 0` when the request ends.
 */
export function startEcho(): Promise<RawServer> {
  return startRawServer(serveEcho);
}

/** Makes one connection of an upstream behave like `startEcho`. */
export function serveEcho(peer: RawPeer): void {
  const queues = new Map<number, Promise<void>>();
  peer.onFrame = (frame) => echo(peer, frame, queues);
}

function echo(peer: RawPeer, frame: Frame, queues: Map<number, Promise<void>>): void {
  const { type, stream, flags, headers, payload } = frame;
  if (type === Type.RST_STREAM) queues.delete(stream);
  const isRequest = headers !== undefined && !queues.has(stream);
  if (!isRequest && type !== Type.DATA && headers === undefined) return;
  const before = queues.get(stream) ?? Promise.resolve();
  const ended = (flags & Bit.END_STREAM) !== 0;
  const next = before.then(async () => {
    if (isRequest) peer.sendHeaders(stream, OK_HEADERS);
    if (type === Type.DATA && payload.length > 0) await peer.sendBody(stream, payload, false);
    if (ended) peer.sendHeaders(stream, OK_TRAILERS, Bit.END_STREAM);
  });
  queues.set(stream, next);
  next.catch(() => peer.send(reset(stream, Code.INTERNAL_ERROR)));
}

/** An empty DATA frame that ends `stream`. */
export function end(stream: number): Buffer {
  return data(stream, Buffer.alloc(0), Bit.END_STREAM);
}
