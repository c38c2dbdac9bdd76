import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

/** The embedded server in a process of its own: one that can be killed, and whose memory is its own. */
export interface EmbeddedProcess {
  /** `host:port`. */
  readonly address: string;
  /** Ends it, without a chance to clean up if it is SIGKILL, and resolves when it is gone. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
  /** The most memory it has ever had resident, in bytes; null where the system does not tell. */
  peakMemory(): Promise<number | null>;
}

/** Runs the command of this checkout on an ephemeral port; it is killed when the test is over. */
export async function startEmbeddedProcess(t: TestContext, ...flags: string[]): Promise<EmbeddedProcess> {
  const args = ["src/cli/main.ts", "embedded", "--listen", "127.0.0.1:0", ...flags];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit") as Promise<[number | null]>;
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), "line"),
    exited.then(([code]) => Promise.reject(new Error(`it did not start: exit code ${code}`))),
  ])) as [string];
  return {
    address: /127\.0\.0\.1:\d+/.exec(line)![0],
    async end(signal) {
      child.kill(signal);
      return (await exited)[0];
    },
    async peakMemory() {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
      const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
      return kilobytes === undefined ? null : Number(kilobytes) * 1024;
    },
  };
}
