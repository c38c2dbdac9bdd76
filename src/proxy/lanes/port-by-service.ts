import type { UpstreamDialect } from "../../upstream/dialect.ts";
import type { Upstream } from "../../upstream/port.ts";
import { UpstreamClient } from "../../upstream/upstream-client.ts";
import type { OpenedCall } from "../messages/opened-call.ts";
import type { UpstreamTarget } from "../upstream-target.ts";

/** One of the upstreams of an instance. */
export interface PortTarget {
  readonly upstream: UpstreamTarget;
  /** How it is spoken to, and what it calls the instance. */
  readonly dialect: UpstreamDialect;
  readonly instance: string;
}

/** The upstreams of an instance, by what they do. */
export interface PortTargets {
  readonly store: PortTarget;
  readonly results: PortTarget;
  readonly execution: PortTarget;
}

type Blobs = "findMissing" | "readBlob" | "readBlobs" | "streamBlob" | "writeBlob" | "writeBlobs" | "getTree";
type Results = "getActionResult" | "updateActionResult";

const ACTION_CACHE = "/build.bazel.remote.execution.v2.ActionCache/";
const EXECUTING = ["/build.bazel.remote.execution.v2.Execution/", "/google.longrunning.Operations/"];

/** The port of a call whose instance several upstreams serve: each thing is asked of the one that does it. */
export function portByService(opened: OpenedCall, targets: PortTargets): Upstream & { close(): void } {
  const clients = new Map<PortTarget, UpstreamClient>();
  const clientOf = (target: PortTarget): UpstreamClient => {
    let client = clients.get(target);
    if (client === undefined) {
      client = clientFor(opened, target);
      clients.set(target, client);
    }
    return client;
  };
  const store = clientOf(targets.store);
  const results = clientOf(targets.results);
  const execution = clientOf(targets.execution);
  const by = (path: string): UpstreamClient => {
    if (path.startsWith(ACTION_CACHE)) return results;
    return EXECUTING.some((service) => path.startsWith(service)) ? execution : store;
  };
  const blobs: Pick<Upstream, Blobs> = {
    findMissing: (digests) => store.findMissing(digests),
    readBlob: (digest, maxBytes) => store.readBlob(digest, maxBytes),
    readBlobs: (digests, maxBytes) => store.readBlobs(digests, maxBytes),
    streamBlob: (digest) => store.streamBlob(digest),
    writeBlob: (digest, parts) => store.writeBlob(digest, parts),
    writeBlobs: (all) => store.writeBlobs(all),
    getTree: (request) => store.getTree(request),
  };
  const cached: Pick<Upstream, Results> = {
    getActionResult: (request) => results.getActionResult(request),
    updateActionResult: (request) => results.updateActionResult(request),
  };
  return {
    ...blobs,
    ...cached,
    capabilities: () => execution.capabilities(),
    execute: (request) => execution.execute(request),
    waitExecution: (name) => execution.waitExecution(name),
    getOperation: (name) => execution.getOperation(name),
    cancelOperation: (name) => execution.cancelOperation(name),
    call: (path, request) => by(path).call(path, request),
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}

/** The port to one upstream, with the caller's metadata and deadline. */
export function clientFor(opened: OpenedCall, { upstream, dialect, instance }: PortTarget): UpstreamClient {
  return new UpstreamClient({
    caller: { open: (path, name) => opened.call(path, name, upstream), budget: opened.budget },
    dialect,
    instance,
    digestFunction: null,
  });
}
