import { join } from "node:path";
import { Service } from "./service.ts";

/** The entry of the command line. */
export const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");

/** The line that the bridge logs when it serves, as far as the tests read it. */
interface UpLine {
  readonly listening: readonly [string];
  readonly admin: string;
}

/** A bridge as its users run it: the command, in a process of its own. */
export class BridgeProcess {
  /** `host:port` where it serves clients; the same after a restart. */
  readonly address: string;
  /** `host:port` of its admin listener; the same after a restart. */
  readonly admin: string;
  private readonly flags: readonly string[];
  private service: Service;

  private constructor(flags: readonly string[], service: Service) {
    const { listening, admin } = JSON.parse(service.greeting) as UpLine;
    this.address = listening[0];
    this.admin = admin;
    this.flags = flags;
    this.service = service;
  }

  /** Starts a bridge with these flags on ports of its own choice. */
  static async start(...flags: string[]): Promise<BridgeProcess> {
    return new BridgeProcess(flags, await serve(flags, "127.0.0.1:0", "127.0.0.1:0"));
  }

  /** `kill -9`: nothing is drained, every connection breaks. */
  kill(): Promise<void> {
    return this.service.end("SIGKILL");
  }

  /** Starts it again, after `kill` or `stop`, where it was before. */
  async restart(): Promise<void> {
    this.service = await serve(this.flags, this.address, this.admin);
  }

  /** SIGTERM, as an operator stops it. */
  stop(): Promise<void> {
    return this.service.end("SIGTERM");
  }

  /** Calls of the method that have ended, whatever their status, since the start or restart. */
  async calls(method: string): Promise<number> {
    return await this.sum("reapi_bridge_calls_total", `method="${method}"`);
  }

  /** Bytes over the sockets of one side since the start or restart. */
  async bytes(side: "client" | "upstream", direction: "in" | "out"): Promise<number> {
    return await this.sum("reapi_bridge_bytes_total", `side="${side}",direction="${direction}"`);
  }

  /** Calls that clients have begun since the start or restart. */
  async callsBegun(): Promise<number> {
    return await this.sum("reapi_bridge_streams_total", 'side="client"');
  }

  /** Calls of clients that are under way. */
  async callsUnderWay(): Promise<number> {
    return await this.sum("reapi_bridge_open_streams", 'side="client"');
  }

  private async sum(name: string, label: string): Promise<number> {
    const response = await fetch(`http://${this.admin}/metrics`);
    const lines = (await response.text()).split("\n");
    const samples = lines.filter((line) => line.startsWith(`${name}{`) && line.includes(label));
    return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }
}

function serve(flags: readonly string[], listen: string, admin: string): Promise<Service> {
  const args = [MAIN, "--listen", listen, "--admin", admin, ...flags];
  return Service.start(process.execPath, args, '"msg":"reapi-bridge is up"');
}
