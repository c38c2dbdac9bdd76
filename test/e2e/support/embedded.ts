import { MAIN } from "./bridge.ts";
import { Service } from "./service.ts";

/** The embedded server as its users run it: the command, in a process of its own, with everything in memory. */
export async function startEmbeddedServer(level: string): Promise<{ service: Service; address: string }> {
  const args = [MAIN, "embedded", "--level", level, "--listen", "127.0.0.1:0", "--memory"];
  const service = await Service.start(process.execPath, args, "listens on 127.0.0.1:");
  const [address] = /127\.0\.0\.1:\d+/.exec(service.greeting)!;
  return { service, address };
}
