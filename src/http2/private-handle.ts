import { type OnReadOpts, Socket } from "node:net";

/** The parts of Node's stream handles that adoption relies on; none of them is documented. */
interface Handle {
  reading: boolean;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
}

interface Internals {
  _handle: Handle | null;
}

/**
 * Moves the handle of an accepted TCP or Unix socket into a new socket that reads into buffers of ours, which Node offers for sockets
 * that connect but not for those that are accepted. Everything private the bridge uses is in this file. Returns null, and leaves
 * the socket alone, if the internals look different: the caller then reads 'data' events. Nothing may be left unread in `socket`.
 */
export function adoptHandle(socket: Socket, onread: OnReadOpts): Socket | null {
  const old = socket as unknown as Internals;
  const handle = old._handle;
  if (
    handle === null ||
    typeof handle !== "object" ||
    typeof handle.readStop !== "function" ||
    typeof handle.useUserBuffer !== "function" ||
    typeof handle.reading !== "boolean" ||
    "encrypted" in socket ||
    socket.readableLength > 0
  ) {
    return null;
  }
  handle.readStop();
  handle.reading = false;
  old._handle = null;
  const adopted = new Socket({ handle, onread } as object);
  // The server counts the old one as its connection until it is destroyed.
  adopted.once("close", () => socket.destroy());
  return adopted;
}
