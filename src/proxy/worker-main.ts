import { parentPort, workerData } from "node:worker_threads";
import { StartError } from "../config/start-error.ts";
import type { Address, ReachableConfig } from "../config/types.ts";
import { createLog } from "../observe/log.ts";
import { ProxyThread } from "./proxy-thread.ts";
import type { WorkerReply, WorkerRequest } from "./workers.ts";

// The entry of one worker thread: does what the main thread asks, one message at a time.
const { config, probeId } = workerData as { config: ReachableConfig; probeId: string };
const port = parentPort!;
let proxy: ProxyThread | null = null;

async function perform(request: WorkerRequest): Promise<unknown> {
  // Made by the first request, so that a problem with its configuration is that request's answer.
  proxy ??= new ProxyThread(config, createLog(config.log), probeId, null);
  switch (request.what) {
    case "listen":
      return await proxy.listen(request.addresses as Address[], true);
    case "snapshot":
      return proxy.snapshot();
    case "drain":
      return await proxy.drain();
    case "cut":
      return proxy.cut();
  }
}

port.on("message", async (request: WorkerRequest) => {
  const reply: WorkerReply = await perform(request).then(
    (value) => ({ id: request.id, value }),
    (error: Error) => ({
      id: request.id,
      problem: { message: error.message, kind: error instanceof StartError ? error.kind : null },
    }),
  );
  port.postMessage(reply);
});
