import type { OnReadOpts, Socket } from "node:net";

/** The parts of Node's stream handles and sockets that are relied on; none of them is documented. */
interface Handle {
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
}

/** What Node keeps the `onread` option in. */
const OPTION_PROPERTIES = ["kBuffer", "kBufferCb", "kBufferGen"] as const;

/**
 * Makes an accepted socket, TLS or not, read into buffers of ours, which Node offers for sockets that connect (the option `onread`) but not for
 * those that are accepted. Everything private the bridge uses is in this file. Returns false, and leaves the socket alone, if the
 * internals look different: the caller then reads 'data' events. Nothing may be left unread in `socket`.
 */
export function readInto(socket: Socket, onread: OnReadOpts): boolean {
  const internals = socket as unknown as { readonly _handle: Handle | null } & Record<symbol, unknown>;
  const handle = internals._handle;
  const symbols = Object.getOwnPropertySymbols(socket);
  const [buffer, callback, generator] = OPTION_PROPERTIES.map((name) =>
    symbols.find((symbol) => symbol.description === name),
  );
  if (
    handle === null ||
    typeof handle !== "object" ||
    typeof handle.useUserBuffer !== "function" ||
    typeof onread.buffer !== "function" ||
    buffer === undefined ||
    callback === undefined ||
    generator === undefined ||
    internals[buffer] !== null ||
    socket.readableLength > 0
  ) {
    return false;
  }
  const first = onread.buffer();
  internals[buffer] = first;
  internals[callback] = onread.callback;
  internals[generator] = onread.buffer;
  handle.useUserBuffer(first);
  socket.resume();
  return true;
}
