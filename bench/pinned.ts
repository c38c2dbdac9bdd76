/** Child processes that stay on one core. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { connect, createServer } from "node:net";
import { availableParallelism } from "node:os";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

/** The core of each part. With two cores, generator and backend share one; "direct" then has one for each. */
export interface Cores {
  readonly proxy: number;
  readonly generator: number;
  readonly backend: number;
}

/** The first three cores, or the first two. Throws where there is only one. */
export function defaultCores(): Cores {
  const count = availableParallelism();
  if (count < 2) throw new Error("the benchmark needs two cores: one for the proxy and one for the rest");
  return { proxy: 0, generator: 1, backend: count > 2 ? 2 : 1 };
}

/** Where and with what a program runs. */
export interface Launch {
  readonly core: number;
  readonly env?: Readonly<Record<string, string>>;
  /** A file for what it prints; dropped without. */
  readonly log?: string;
}

/** A program that runs until it is stopped. */
export class Service {
  readonly #child: ChildProcess;

  constructor(command: readonly string[], { core, env, log }: Launch) {
    const output = log === undefined ? "ignore" : openSync(log, "a");
    this.#child = spawn("taskset", ["-c", String(core), ...command], {
      stdio: ["ignore", output, output],
      env: { ...process.env, ...env },
    });
    if (typeof output === "number") closeSync(output);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Asks it to end and waits until it has; ends it the hard way after ten seconds. */
  async stop(): Promise<void> {
    if (this.ended) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const hard = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await exit;
    clearTimeout(hard);
  }

  /** Waits until it listens on 127.0.0.1 at a port; throws when it ends before, or after 20 seconds. */
  async listens(port: number): Promise<void> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await delay(50)) {
      if (this.ended) throw new Error(`it ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
      const socket = connect(port, "127.0.0.1");
      const open = await once(socket, "connect").then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (open) return;
    }
    throw new Error(`it does not listen on port ${port}`);
  }
}

/** Runs a program to its end and returns what it printed; throws with what it says on standard error where it fails. */
export async function runPinned(command: readonly string[], core: number): Promise<string> {
  const child = spawn("taskset", ["-c", String(core), ...command], { stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(errors.trim() || output.trim() || `it ended with ${code}`);
  return output;
}

/** A port of 127.0.0.1 that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
