import type { Dialect } from "../../peers/dialect.ts";
import { writeWriteResponse } from "../../wire/byte-stream.ts";
import { countFor } from "./counts.ts";
import type { Upload } from "./upload.ts";

/**
 * The `WriteResponse` that a client takes for a compressed upload of a blob of `sizeBytes` that the upstream has now; `early` if it had the blob before all of it
 * was sent. A client that counts nothing but what it sent is let send the rest first: Bazel 5.0 takes any other number for a broken upload.
 */
export async function reportFor(
  client: Dialect<"client">,
  upload: Upload,
  sizeBytes: number,
  early: boolean,
): Promise<readonly Buffer[]> {
  const count = countFor(client, early);
  if (count === "blob") return writeWriteResponse(sizeBytes);
  if (count === "minus-one") return writeWriteResponse(-1);
  if (!upload.finished) await upload.drain();
  return writeWriteResponse(upload.end);
}
