import { setTimeout as sleep } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { type BalancerName, startBalancer } from "./balancer.ts";
import { BridgeProcess } from "./bridge.ts";
import type { Service } from "./service.ts";

const TOGETHER = 3;
const GET_CAPABILITIES = "/build.bazel.remote.execution.v2.Capabilities/GetCapabilities";

/** Bridges that know nothing of each other, in front of one server and behind one balancer. */
export class Replicas {
  /** `host:port` of the balancer. */
  readonly address: string;
  readonly bridges: readonly BridgeProcess[];
  private readonly balancer: Service;
  private readonly gone = new Set<BridgeProcess>();

  private constructor(address: string, bridges: readonly BridgeProcess[], balancer: Service) {
    this.address = address;
    this.bridges = bridges;
    this.balancer = balancer;
  }

  /** Starts three bridges in front of the server at `upstream`, told nothing else; `folder` is for the files of the balancer. */
  static async start(balancer: BalancerName, upstream: string, folder: string): Promise<Replicas> {
    const start = () => BridgeProcess.start("--upstream", upstream);
    const bridges = await Promise.all(Array.from({ length: TOGETHER }, start));
    const { service, address } = await startBalancer(balancer, bridges, folder);
    return new Replicas(address, bridges, service);
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    await this.balancer.end("SIGKILL");
    await Promise.all(this.bridges.map((bridge) => bridge.stop()));
  }

  /** `kill -9` of one. */
  async kill(bridge: BridgeProcess): Promise<void> {
    this.gone.add(bridge);
    await bridge.kill();
  }

  /** Stops one as an operator does, and brings it back, with nothing of what it knew. */
  async restart(bridge: BridgeProcess): Promise<void> {
    this.gone.add(bridge);
    await bridge.stop();
    await bridge.restart();
    this.gone.delete(bridge);
  }

  /** One call through the balancer, to whichever bridge has its turn; what it ends in does not matter. */
  async ask(): Promise<void> {
    const client = new grpc.Client(this.address, grpc.credentials.createInsecure());
    try {
      await new Promise<void>((resolve) => {
        const nothing = (): Buffer => Buffer.alloc(0);
        client.makeUnaryRequest(GET_CAPABILITIES, nothing, nothing, null, () => resolve());
      });
    } finally {
      client.close();
    }
  }

  /** Calls of the method that have ended at those that run, since each was started. */
  async calls(method: string): Promise<number> {
    return sum(await Promise.all(this.running().map((bridge) => bridge.calls(method))));
  }

  /** Calls that each one has been given since it was started; of those that run. */
  async shares(): Promise<number[]> {
    return await Promise.all(this.running().map((bridge) => bridge.callsBegun()));
  }

  /** The one that serves a call now: waits until just one does, as is the case when a single action runs. */
  async serving(): Promise<BridgeProcess> {
    for (;;) {
      const running = this.running();
      const open = await Promise.all(running.map((bridge) => bridge.callsUnderWay()));
      if (sum(open) === 1) return running[open.indexOf(1)]!;
      await sleep(20);
    }
  }

  private running(): BridgeProcess[] {
    return this.bridges.filter((bridge) => !this.gone.has(bridge));
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
