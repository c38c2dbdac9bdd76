import { spawn } from "node:child_process";
import { once } from "node:events";

/** How a program is run; `env` is added to the environment of the tests. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which the program is killed and the run rejects. */
  readonly timeoutMs?: number;
}

/** What a program left: its exit code, and standard output and error as they came, in one text. */
export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end, whatever its exit code. Rejects when it cannot be started, is killed or takes too long. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env, timeoutMs = 300_000 }: CommandOptions = {},
): Promise<Outcome> {
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code, signal] = (await once(child, "close").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(`${command} is not installed; .ci/run installs everything that these tests need`);
  })) as [number | null, string | null];
  if (code === null) throw new Error(`${command} ${args.join(" ")}: ended by ${signal}\n${output}`);
  return { code, output };
}

/** Runs a program that has to succeed. Rejects with all it printed when it does not. */
export async function succeed(
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const { code, output } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${code}\n${output}`);
  return output;
}
