import { promisify } from "node:util";
import { gunzip, inflate as zlibInflate } from "node:zlib";
import { Status } from "../../wire/status.ts";
import { CallError } from "./call-error.ts";

/** The message encodings that opened lanes read, as `grpc-accept-encoding` lists them. */
export const READABLE_ENCODINGS = "identity,gzip,deflate";

const decoders: Readonly<
  Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>
> = {
  gzip: promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip),
  deflate: promisify<Buffer, { maxOutputLength: number }, Buffer>(zlibInflate),
};

/**
 * Undoes the message encoding `encoding` (the value of `grpc-encoding`). Rejects with a `CallError`: UNIMPLEMENTED for an encoding that is not
 * known, RESOURCE_EXHAUSTED for a result above `limit` bytes, INTERNAL for bytes that are not of that encoding.
 */
export async function inflateMessage(encoding: string, bytes: Buffer, limit: number): Promise<Buffer> {
  if (encoding === "identity" || encoding === "") {
    throw uncalledCompression();
  }
  const decode = decoders[encoding];
  if (decode === undefined) throw unreadableEncoding(encoding);
  try {
    return await decode(bytes, { maxOutputLength: Math.max(1, limit) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new CallError(
        Status.RESOURCE_EXHAUSTED,
        `a compressed message is larger than ${limit} bytes when inflated`,
      );
    }
    throw new CallError(Status.INTERNAL, `a message is not valid ${encoding}: ${(error as Error).message}`);
  }
}

/** The error of a message in an encoding that opened lanes do not read. */
export function unreadableEncoding(encoding: string): CallError {
  const text = `the message encoding "${encoding.slice(0, 40)}" cannot be read here; it must be one of ${READABLE_ENCODINGS}`;
  return new CallError(Status.UNIMPLEMENTED, text);
}

/** The error of a compressed message in a call that names no compression. */
export function uncalledCompression(): CallError {
  return new CallError(
    Status.INTERNAL,
    "a message is marked as compressed, but grpc-encoding names no compression",
  );
}
