import { Status } from "../../wire/status.ts";
import type { TransferRules } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";

/**
 * Lets through blobs that clients may store here: nobody may where the store is read-only, and none that is too large (D19).
 * @throws CallError PERMISSION_DENIED or INVALID_ARGUMENT.
 */
export function checkUpload({ blobBytes, readOnly }: TransferRules, sizeBytes: number): void {
  if (readOnly) throw new CallError(Status.PERMISSION_DENIED, "clients may not store blobs here");
  if (sizeBytes <= blobBytes) return;
  const message = `the blob has ${sizeBytes} bytes, more than max_cas_blob_size_bytes, ${blobBytes}`;
  throw new CallError(Status.INVALID_ARGUMENT, message);
}
