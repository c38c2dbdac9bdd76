import type { Call } from "../../translators/translator.ts";
import { CombinedUpstream } from "../../upstream/combined-upstream.ts";
import type { UpstreamDialect } from "../../upstream/dialect.ts";
import type { Upstream } from "../../upstream/port.ts";
import { UpstreamClient } from "../../upstream/upstream-client.ts";
import { digestFunctionByNumber } from "../../wire/digest-function.ts";
import type { OpenedCall } from "../messages/opened-call.ts";
import type { UpstreamTarget } from "../upstream-target.ts";

/** How the hooks of a plan get at an upstream. */
export interface Reach {
  /** How it is spoken to. */
  readonly dialect: UpstreamDialect;
  /** Where it is, if not where the call goes. */
  readonly upstream?: UpstreamTarget;
  /** What it calls an instance, if not what the client calls it. */
  readonly rename?: (instance: string) => string;
}

/** The upstreams of an instance that several serve. */
export interface Reaches {
  readonly store: Reach;
  readonly results: Reach;
  readonly execution: Reach;
}

/** What a port is for: the client's name of an instance, and the number of a digest function. */
interface PortFor {
  readonly instance: string;
  readonly digestFunction: number;
}

/** A call as hooks see it; whoever makes one closes it when the call is over. */
export interface HookCall extends Call {
  close(): void;
}

/** What the hooks of a plan get to know of an opened call. `instance` is what the client calls the one that its first message names. */
export function hookCall(
  opened: OpenedCall,
  reach: Reach & { readonly beside?: Reaches; readonly executor?: string },
  instance: string,
): HookCall {
  const { budget, log, method, caller } = opened;
  const clients: UpstreamClient[] = [];
  const clientOf = ({ dialect, upstream, rename }: Reach, of: PortFor): Upstream => {
    const client = new UpstreamClient({
      caller: { open: (path, resourceName) => opened.call(path, resourceName, upstream), budget },
      dialect,
      instance: rename?.(of.instance) ?? of.instance,
      digestFunction: digestFunctionByNumber(of.digestFunction) ?? null,
    });
    clients.push(client);
    return client;
  };
  const { beside } = reach;
  const portOf = (of: PortFor): Upstream =>
    beside === undefined
      ? clientOf(reach, of)
      : new CombinedUpstream({
          store: clientOf(beside.store, of),
          results: clientOf(beside.results, of),
          execution: clientOf(beside.execution, of),
        });
  return {
    method,
    instance: reach.rename?.(instance) ?? instance,
    clientInstance: instance,
    upstream: opened.upstreamName,
    route: reach.executor ?? null,
    metadata: caller.metadata.map(({ name, value }) => [name.text, value] as const),
    deadline: caller.deadline,
    cancelled: caller.cancelled,
    port: portOf({ instance, digestFunction: 0 }),
    portFor: (digestFunction, other = instance) => portOf({ instance: other, digestFunction }),
    log,
    count: (what, by = 1) => opened.count(what, by),
    scratch: new Map(),
    budget,
    maxMessageBytes: opened.maxMessageBytes,
    close() {
      for (const client of clients) client.close();
    },
  };
}
