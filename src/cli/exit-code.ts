import { StartError, type StartFailure } from "../config/start-error.ts";
import { UsageError } from "./command.ts";

/** What the exit code says, in the order of the numbers. Scripts rely on them: they may gain companions but do not change. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [0, "it did what it was asked to; after SIGTERM or SIGINT: it drained and stopped"],
  [1, "it failed, or met an error it did not expect"],
  [2, "the command line, a variable or the configuration file is wrong"],
  [3, "an address cannot be listened on, for instance because it is in use"],
  [4, "the upstream cannot be used: it is the bridge itself, or it does not answer what `explain` asks"],
  [5, "Node.js is too old; the message says how to run it with the right one"],
  [130, "a second SIGINT (Ctrl-C) came before it had drained"],
  [143, "a second SIGTERM came before it had drained"],
];

const START_FAILURES: Readonly<Record<StartFailure, number>> = { config: 2, listen: 3, upstream: 4 };

/** The exit code for what a command threw, or undefined for what the operator cannot mend: a defect. */
export function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof UsageError) return 2;
  if (error instanceof StartError) return START_FAILURES[error.kind];
  return undefined;
}
