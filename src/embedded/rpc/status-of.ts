import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { CompressionError } from "../../compression/compression-error.ts";
import { MalformedMessageError } from "../../spec/codec.ts";
import { Status, type StatusCode } from "../../wire/status.ts";
import { type Detail, encodeStatus } from "../../wire/status-details.ts";
import { WireError } from "../../wire/wire-error.ts";
import { CallError } from "../call-error.ts";
import { BlobMismatchError, BlobMissingError } from "../store/blob-store.ts";

/** What a failed call, or a failed part of one, is answered with. */
export interface Failure {
  readonly code: StatusCode;
  readonly message: string;
  readonly details: readonly Detail[];
}

/** How the caller hears of anything that was thrown: what it caused itself by name, a full disk, else INTERNAL. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CallError) return error;
  const { message } = error as Error;
  return { code: codeOf(error), message, details: [] };
}

/** The same in the form @grpc/grpc-js sends. */
export function serviceErrorOf(error: unknown): ServiceError {
  const { code, message, details } = failureOf(error);
  const metadata = new Metadata();
  if (details.length > 0) metadata.set("grpc-status-details-bin", encodeStatus({ code, message, details }));
  return Object.assign(new Error(message), { code, details: message, metadata });
}

function codeOf(error: unknown): StatusCode {
  if (error instanceof BlobMissingError) return Status.NOT_FOUND;
  if (error instanceof CompressionError) return Status.INVALID_ARGUMENT;
  if (error instanceof BlobMismatchError) return Status.INVALID_ARGUMENT;
  if (error instanceof MalformedMessageError || error instanceof WireError) return Status.INVALID_ARGUMENT;
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT" ? Status.RESOURCE_EXHAUSTED : Status.INTERNAL;
}
