import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type RunningBridge, readMetrics } from "./raw-h2/bridge.ts";

/** A bridge in a process of its own: one that crashes takes no test with it, and its memory is its own. */
export interface BridgeProcess extends RunningBridge {
  /** Its resident memory now, in bytes. */
  memory(): Promise<number>;
}

/** Starts the command of this checkout in front of `upstream` (`host:port`) on ephemeral ports; `flags` as on its command line. */
export function startBridgeProcess(upstream: string, ...flags: string[]): Promise<BridgeProcess> {
  const ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
  return start("src/cli/main.ts", "--upstream", upstream, ...ports, ...flags);
}

/** Starts a bridge that opens the messages of `OPENED_METHOD` and relays all other calls to `upstream`. */
export function startOpeningBridgeProcess(upstream: string): Promise<BridgeProcess> {
  return start("test/support/opening-bridge.ts", upstream);
}

async function start(...args: string[]): Promise<BridgeProcess> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-4_000);
  });
  const exited = once(child, "exit");
  const lines = createInterface(child.stdout);
  const [text] = (await Promise.race([
    once(lines, "line"),
    exited.then(([code]) =>
      Promise.reject(new Error(`the bridge did not start: exit code ${code}; ${complaints}`)),
    ),
  ])) as [string];
  const { listening, admin } = JSON.parse(text) as { listening: string[]; admin: string };
  return {
    address: listening[0]!,
    metrics: () => readMetrics(admin),
    memory: async () => (await readMetrics(admin)).get("process_resident_memory_bytes")!,
    async stop() {
      child.kill("SIGTERM");
      const [code, signal] = (await exited) as [number | null, string | null];
      if (code !== 0)
        throw new Error(`the bridge ended with ${signal ?? `exit code ${code}`}; ${complaints}`);
    },
  };
}
