import type { Level } from "../../spec/versions.ts";
import type { DigestFunction } from "../../wire/digest-function.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { quote } from "./paths.ts";

/** Where outputs go and in what form. */
export interface OutputSink {
  readonly store: BlobStore;
  readonly digestFunction: DigestFunction;
  readonly level: Level;
  /** Names of the node properties that outputs are to carry, as the level spells them. */
  readonly properties: readonly string[];
}

/** The failure for a socket, pipe or device where an output was to be. */
export function notAnOutput(path: string): CallError {
  return new CallError(
    Status.FAILED_PRECONDITION,
    `the output ${quote(path)} is no file, directory or link, and nothing else can be stored`,
  );
}
