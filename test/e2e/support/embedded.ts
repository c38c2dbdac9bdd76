import { MAIN } from "./bridge.ts";
import { Service } from "./service.ts";

/** The embedded server as its users run it: the command, in a process of its own, with everything in memory. */
export function startEmbeddedServer(level: string): Promise<{ service: Service; address: string }> {
  return start("--level", level);
}

/** The same playing a known server, set up by flags. */
export function startPlayedServer(
  name: string,
  ...setup: readonly string[]
): Promise<{ service: Service; address: string }> {
  return start("--as", name, ...setup);
}

async function start(...role: readonly string[]): Promise<{ service: Service; address: string }> {
  const args = [MAIN, "embedded", ...role, "--listen", "127.0.0.1:0", "--memory"];
  const service = await Service.start(process.execPath, args, "listens on 127.0.0.1:");
  const [address] = /127\.0\.0\.1:\d+/.exec(service.greeting)!;
  return { service, address };
}
