import type { Call } from "../../translators/translator.ts";
import type { OpenedCall } from "../messages/opened-call.ts";
import type { LaneContext } from "./plan-routes.ts";
import { clientFor, portByService } from "./port-by-service.ts";

/** A call as hooks see it; whoever makes one closes it when the call is over. */
export interface HookCall extends Call {
  close(): void;
}

/** What the hooks of a plan get to know of an opened call, of which the first message names `named`. */
export function hookCall(
  opened: OpenedCall,
  { dialect, rename, ports }: LaneContext,
  named: string,
): HookCall {
  const { budget, log, method, caller } = opened;
  const instance = rename?.(named) ?? named;
  const targets = ports?.(named);
  const port =
    targets === undefined
      ? clientFor(opened, { upstream: opened.upstream, dialect, instance })
      : portByService(opened, targets);
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
