/** Runs one program to its end, with all the processes it starts. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { constants } from "node:os";
import { invalid, isExhaustion } from "./failure.ts";

/** A program and all it gets to see. */
export interface ProcessSpec {
  /** Absolute path of the program. */
  readonly file: string;
  /** All arguments; the first is the name under which the program sees itself. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Files that are created for the two outputs; they may grow large, so they are not held in memory. */
  readonly stdout: string;
  readonly stderr: string;
  /** After so many milliseconds everything is killed; at most 2^31-1. */
  readonly timeoutMs: number;
  /** Kills everything when it is aborted. */
  readonly signal: AbortSignal;
}

/** How a program ended. */
export interface ProcessEnd {
  /** Its exit code; 128 and the number of the signal if one ended it. */
  readonly exitCode: number;
  readonly timedOut: boolean;
  readonly durationNs: bigint;
}

/**
 * Runs the program in a process group of its own with nothing on the standard input. When it has ended, or has to, the whole group is
 * killed: nothing it started in the background stays, except what left the group on purpose.
 * Rejects with the signal's reason if that is aborted.
 * @throws CallError INVALID_ARGUMENT if the system cannot start it, for instance because its arguments are too long.
 */
export async function runProcess(spec: ProcessSpec): Promise<ProcessEnd> {
  spec.signal.throwIfAborted();
  await using stdout = await open(spec.stdout, "wx", 0o600);
  await using stderr = await open(spec.stderr, "wx", 0o600);
  const start = process.hrtime.bigint();
  const child = await started(spec, stdout.fd, stderr.fd);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, spec.timeoutMs);
  const cancel = () => killGroup(child);
  spec.signal.addEventListener("abort", cancel, { once: true });
  if (spec.signal.aborted) cancel();
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    const durationNs = process.hrtime.bigint() - start;
    spec.signal.throwIfAborted();
    return { exitCode: code ?? 128 + (constants.signals[signal!] ?? 0), timedOut, durationNs };
  } finally {
    clearTimeout(timer);
    spec.signal.removeEventListener("abort", cancel);
    killGroup(child);
  }
}

async function started(spec: ProcessSpec, stdout: number, stderr: number): Promise<ChildProcess> {
  try {
    const [argv0 = spec.file, ...args] = spec.args;
    const { file, cwd, env } = spec;
    const child = spawn(file, args, { argv0, cwd, env, stdio: ["ignore", stdout, stderr], detached: true });
    await once(child, "spawn");
    return child;
  } catch (error) {
    if (isExhaustion(error)) throw error;
    throw invalid("arguments", `the program cannot be started: ${(error as Error).message}`);
  }
}

/** The group keeps its number until its last process has ended, so that this cannot hit anybody else while there is one. */
function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
