import { type DestinationStream, destination, type Logger, multistream, pino } from "pino";
import type { LogConfig } from "../config/types.ts";
import { prettyLine } from "./pretty-line.ts";

/** The log of the bridge: pino's, one JSON object a line. */
export type Log = Logger;

/** Header and option names whose values never appear in a log. */
const SECRETS = [
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "x-api-key",
  "x-buildbuddy-api-key",
  "x-goog-iam-authorization-token",
  "key",
  "token",
  "password",
  "secret",
];

/** Paths that hide the secrets at the top of a logged object and up to two levels down. */
function redactedPaths(): string[] {
  return SECRETS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
}

function prettyStream(target: NodeJS.WritableStream): DestinationStream {
  return { write: (line: string) => void target.write(prettyLine(line)) };
}

/**
 * A log that writes warnings and errors to the standard error and the rest to the standard output, at once, so that a crash loses
 * nothing. With `pretty` lines are for people; `sink` replaces both outputs. Secrets are shown as `[secret]`.
 */
export function createLog(options: LogConfig, sink?: DestinationStream): Log {
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths(), censor: "[secret]" },
    },
    sink ?? outputs(options.pretty),
  );
}

function outputs(pretty: boolean): DestinationStream {
  const out = pretty ? prettyStream(process.stdout) : destination({ fd: 1, sync: true });
  const err = pretty ? prettyStream(process.stderr) : destination({ fd: 2, sync: true });
  return multistream(
    [
      { level: "trace", stream: out },
      { level: "warn", stream: err },
    ],
    { dedupe: true },
  );
}

/** A call that the bridge itself ended with an error. */
export interface Refusal {
  /** The path, `/package.Service/Method`. */
  readonly method: string;
  /** The gRPC status code the caller got. */
  readonly code: number;
  /** What the caller was told. */
  readonly reason: string;
  /** The caller's address. */
  readonly client?: string;
}

/** Writes the one line that a refused call gets. */
export function logRefusal(log: Log, refusal: Refusal): void {
  log.warn(refusal, "call refused");
}
