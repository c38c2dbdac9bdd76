import { Status } from "../../wire/status.ts";
import type { TransferRules } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";

/** Lets through blobs that the server has room for (D19). @throws CallError INVALID_ARGUMENT. */
export function checkBlobSize({ blobBytes }: TransferRules, sizeBytes: number): void {
  if (sizeBytes <= blobBytes) return;
  const message = `the blob has ${sizeBytes} bytes, more than max_cas_blob_size_bytes, ${blobBytes}`;
  throw new CallError(Status.INVALID_ARGUMENT, message);
}
