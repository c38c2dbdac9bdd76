import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";

/** A server in a process of its own, which says on standard output when it serves. */
export class Service {
  /** The line that told that it serves. */
  readonly greeting: string;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, greeting: string) {
    this.child = child;
    this.greeting = greeting;
  }

  /**
   * Starts a program and waits for the first line of its standard output that contains `sign`. Its standard error goes to
   * that of the tests. `env` is added to the environment. Rejects when it ends before.
   */
  static async start(
    command: string,
    args: readonly string[],
    sign: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Service> {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    const greeting = await new Promise<string>((resolve, reject) => {
      const said: string[] = [];
      // Reading goes on after the sign: a full pipe would hold the program up.
      createInterface(child.stdout).on("line", (line) => {
        said.push(line);
        if (line.includes(sign)) resolve(line);
      });
      child.once("error", reject);
      child.once("close", () =>
        reject(new Error(`${command} ${args.join(" ")}: ended without «${sign}»\n${said.join("\n")}`)),
      );
    });
    // A test that fails half-way neither waits for it nor leaves it behind.
    child.unref();
    (child.stdout as Socket).unref();
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    return new Service(child, greeting);
  }

  /** Ends it with the signal and waits until it is gone; an ended one stays so. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, "exit");
    this.child.ref();
    this.child.kill(signal);
    await gone;
  }
}
