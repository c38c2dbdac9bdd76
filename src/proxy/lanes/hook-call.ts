import type { Call } from "../../translators/translator.ts";
import type { UpstreamDialect } from "../../upstream/dialect.ts";
import { UpstreamClient } from "../../upstream/upstream-client.ts";
import type { OpenedCall } from "../messages/opened-call.ts";

/** A call as hooks see it; whoever makes one closes it when the call is over. */
export interface HookCall extends Call {
  close(): void;
}

/** What the hooks of a plan get to know of an opened call. `instance` is what the upstream calls the one that its first message names. */
export function hookCall(opened: OpenedCall, dialect: UpstreamDialect, instance: string): HookCall {
  const { budget, log, method, caller } = opened;
  const port = new UpstreamClient({
    caller: { open: (path, resourceName) => opened.call(path, resourceName), budget },
    dialect,
    instance,
    digestFunction: null,
  });
  return {
    method,
    instance,
    metadata: caller.metadata.map(({ name, value }) => [name.text, value] as const),
    deadline: caller.deadline,
    cancelled: caller.cancelled,
    port,
    log,
    scratch: new Map(),
    budget,
    close: () => port.close(),
  };
}
