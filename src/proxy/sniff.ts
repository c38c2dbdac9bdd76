import type { Socket } from "node:net";

/** What a client speaks, by its first bytes. */
export type Protocol = "http2" | "http1" | "tls";

/** A TLS handshake record starts so (RFC 8446 section 5.1); no HTTP/1 request does. */
const TLS_HANDSHAKE = 0x16;
/** How the HTTP/2 preface starts, which is no HTTP/1 method. */
const PRI = Buffer.from("PRI");

/**
 * Reads a socket's first bytes and tells what they are, and the bytes. Calls `decided` with null if the client sent nothing telling within
 * `timeout` milliseconds; the socket is destroyed then.
 */
export function sniff(
  socket: Socket,
  timeout: number,
  decided: (protocol: Protocol | null, bytes: Buffer) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const finish = (protocol: Protocol | null): void => {
    clearTimeout(timer);
    socket.off("readable", look);
    socket.off("close", gaveUp);
    if (protocol === null) socket.destroy();
    decided(protocol, seen);
  };
  const look = (): void => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    seen = seen.length === 0 ? bytes : Buffer.concat([seen, bytes]);
    const protocol = recognise(seen);
    if (protocol !== null) finish(protocol);
  };
  const gaveUp = (): void => finish(null);
  const timer = setTimeout(gaveUp, timeout);
  socket.on("readable", look);
  socket.on("close", gaveUp);
}

function recognise(bytes: Buffer): Protocol | null {
  if (bytes[0] === TLS_HANDSHAKE) return "tls";
  const compared = Math.min(bytes.length, PRI.length);
  if (!bytes.subarray(0, compared).equals(PRI.subarray(0, compared))) return "http1";
  return compared === PRI.length ? "http2" : null;
}
