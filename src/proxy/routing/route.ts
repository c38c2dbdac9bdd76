import type { Field } from "../../http2/hpack/field.ts";
import type { Caller } from "../../upstream/caller.ts";
import type { CallHandler } from "../messages/opened-call.ts";
import type { FilterMaker } from "../messages/relay-filter.ts";
import type { UpstreamTarget } from "../upstream-target.ts";
import type { ByMessage } from "./by-message.ts";

/** How the calls of a method travel, if they are not simply relayed. */
export type Route = { readonly head?: HeadEdit } & (
  | OpenedRoute
  | RelayRoute
  | { readonly lane: "by-message"; readonly by: ByMessage }
);

/** The bridge itself serves the calls, or refuses them. */
export interface OpenedRoute {
  readonly lane: "translate" | "local" | "reject";
  readonly handle: CallHandler;
}

/** Relayed, while a filter watches or changes the request. */
export interface RelayRoute {
  readonly lane: "relay";
  readonly filter: FilterMaker | null;
}

/** The head of a request as the upstream is to get it, the same list if nothing changes. Throws a `BridgeError` to refuse the call. */
export type HeadEdit = (fields: readonly Field[]) => readonly Field[];

/** Routes by method, `/package.Service/Method`. Methods without one are relayed. */
export type Routes = ReadonlyMap<string, Route>;

/** Where a call goes, and how: relayed untouched without a route. */
export interface Way {
  readonly upstream: UpstreamTarget;
  readonly route: Route | null;
}

/** What a way depends on that is not known yet: the instance that the first message names, that message, or something that is being found out. */
export type Wait =
  | { readonly for: "instance" }
  | { readonly for: "message" }
  | { readonly for: "knowledge"; readonly until: Promise<void> };

/** A call that has begun, as a router sees it. */
export interface Arrival {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly fields: readonly Field[];
  /** The address it came in at, as `Config.listen` names it. */
  readonly listener: string;
  /** The instance its first message names; null before that is known. */
  readonly instance: string | null;
}

/** Decides how calls travel. */
export interface Router {
  /** `ask` makes calls of the bridge's own with this call's credentials, should the router have to find out something. */
  route(call: Arrival, ask: Ask): Way | Wait;
}

/** What a router finds out things with: calls to an upstream with the metadata of a call that is to be routed, within `withinMs`. */
export type Ask = (upstream: UpstreamTarget, fields: readonly Field[], withinMs: number) => Caller;

/** Every call goes to one upstream by fixed routes. */
export class FixedRouter implements Router {
  private readonly relay: Way;
  private readonly ways: ReadonlyMap<string, Way>;

  constructor(upstream: UpstreamTarget, routes: Routes) {
    this.relay = { upstream, route: null };
    this.ways = new Map([...routes].map(([path, route]) => [path, { upstream, route }]));
  }

  route({ path }: Arrival): Way {
    return this.ways.get(path) ?? this.relay;
  }
}
