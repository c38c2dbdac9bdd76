import type { DigestFunction } from "../../wire/digest-function.ts";
import { Status } from "../../wire/status.ts";
import type { Behaviour } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { quote } from "./paths.ts";

/** Where outputs go and in what form. */
export interface OutputSink {
  readonly store: BlobStore;
  readonly digestFunction: DigestFunction;
  readonly behaviour: Behaviour;
  /** Names of the node properties that outputs are to carry, as the level spells them. */
  readonly properties: readonly string[];
}

/** Lets through links that the server reports. @throws CallError FAILED_PRECONDITION for an absolute one where it allows none (D34). */
export function checkOutputLink(path: string, target: string, { behaviour }: OutputSink): void {
  if (behaviour.actions.absoluteSymlinks || !target.startsWith("/")) return;
  const message = `the output ${quote(path)} is an absolute link, which this server does not allow`;
  throw new CallError(Status.FAILED_PRECONDITION, message);
}

/** The failure for a socket, pipe or device where an output was to be. */
export function notAnOutput(path: string): CallError {
  return new CallError(
    Status.FAILED_PRECONDITION,
    `the output ${quote(path)} is no file, directory or link, and nothing else can be stored`,
  );
}
