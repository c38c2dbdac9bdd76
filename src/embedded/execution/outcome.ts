import type { CallError } from "../call-error.ts";

/** How an execution ended, as its callers are told. */
export interface Outcome {
  /** An ActionResult; null if there is none. With a failure it has what there was by then. */
  readonly result: Buffer | null;
  /** Whether the result was made by an earlier execution. */
  readonly cached: boolean;
  readonly failure: CallError | null;
}

/** The outcome of an execution that came to nothing. */
export function failed(failure: CallError): Outcome {
  return { result: null, cached: false, failure };
}
