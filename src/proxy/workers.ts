import { Worker } from "node:worker_threads";
import { StartError, type StartFailure } from "../config/start-error.ts";
import type { Address, ReachableConfig } from "../config/types.ts";
import { type MetricsSnapshot, merge } from "../observe/metrics.ts";

/** What the main thread asks of a worker. */
export type WorkerRequest = { readonly id: number } & (
  | { readonly what: "listen"; readonly addresses: readonly Address[] }
  | { readonly what: "snapshot" | "drain" | "cut" }
);

/** What a worker answers. */
export type WorkerReply = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly problem: { readonly message: string; readonly kind: StartFailure | null } }
);

type Ask =
  | { readonly what: "listen"; readonly addresses: readonly Address[] }
  | { readonly what: "snapshot" | "drain" | "cut" };

/** One worker thread, as the main thread sees it. */
class RemoteProxy {
  readonly worker: Worker;
  private readonly pending = new Map<number, PromiseWithResolvers<unknown>>();
  private nextId = 0;

  constructor(data: object, died: (error: Error) => void) {
    // The file has the ending of this one: .ts in a checkout, .js when compiled.
    const entry = import.meta.url.replace(/workers(\.[jt]s)$/, "worker-main$1");
    this.worker = new Worker(new URL(entry), { workerData: data });
    this.worker.on("message", (reply: WorkerReply) => this.answered(reply));
    this.worker.on("error", (error: Error) => {
      died(error);
      for (const call of this.pending.values()) call.reject(error);
      this.pending.clear();
    });
  }

  ask(request: Ask): Promise<unknown> {
    const call = Promise.withResolvers<unknown>();
    const id = this.nextId++;
    this.pending.set(id, call);
    this.worker.postMessage({ id, ...request });
    return call.promise;
  }

  private answered(reply: WorkerReply): void {
    const call = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if ("value" in reply) call?.resolve(reply.value);
    else if ("problem" in reply) {
      const { kind, message } = reply.problem;
      call?.reject(kind === null ? new Error(message) : new StartError(kind, message));
    } else call?.resolve(undefined);
  }
}

/** The same as a `ProxyThread`, spread over several threads that share the ports; the kernel deals out the connections. */
export class Workers {
  private readonly proxies: RemoteProxy[] = [];

  /** `died` is called if a worker ends by itself, which is a defect. */
  constructor(config: ReachableConfig, probeId: string, died: (error: Error) => void) {
    for (let i = 0; i < config.workers; i++) {
      const proxy = new RemoteProxy({ config, probeId }, (error) => {
        this.proxies.splice(this.proxies.indexOf(proxy), 1);
        died(error);
      });
      this.proxies.push(proxy);
    }
  }

  /** Listens in every thread; returns the addresses with their real ports. Rejects with a `StartError`. */
  async listen(addresses: readonly Address[]): Promise<Address[]> {
    const [first, ...others] = this.proxies;
    const listening = (await first!.ask({ what: "listen", addresses })) as Address[];
    // A Unix socket cannot be shared this way: one thread serves it.
    const shared = listening.filter((address) => address.kind === "tcp");
    await Promise.all(others.map((proxy) => proxy.ask({ what: "listen", addresses: shared })));
    return listening;
  }

  /** The counts of all threads together; those of a thread that died are gone. Rejects if none is left. */
  async snapshot(): Promise<MetricsSnapshot> {
    const snapshots = (await this.askAll("snapshot")) as MetricsSnapshot[];
    if (snapshots.length === 0) throw new Error("no worker thread is left");
    return merge(snapshots);
  }

  /** See `ProxyThread.drain`. */
  async drain(): Promise<void> {
    await this.askAll("drain");
  }

  /** See `ProxyThread.cut`. */
  async cut(): Promise<void> {
    await this.askAll("cut");
  }

  /** Ends the threads. */
  async terminate(): Promise<void> {
    await Promise.all(this.proxies.map(({ worker }) => worker.terminate()));
  }

  /** The answers of the threads that live to give one. */
  private async askAll(what: "snapshot" | "drain" | "cut"): Promise<unknown[]> {
    const asked = await Promise.allSettled(this.proxies.map((proxy) => proxy.ask({ what })));
    return asked.filter((answer) => answer.status === "fulfilled").map(({ value }) => value);
  }
}
