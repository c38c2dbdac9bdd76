/** Routes calls by what is known of their client and of their upstream. */

import type { ResolvedClient } from "../../peers/profile.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Planner } from "../../plan/planner.ts";
import { announce } from "../../plan/run-hooks.ts";
import { GET_CAPABILITIES } from "../../translators/methods.ts";
import { namesInstance } from "../lanes/instance-of.ts";
import { planRoutes } from "../lanes/plan-routes.ts";
import type { ClientPeer, ClientPeers } from "./client-peers.ts";
import { findOut } from "./find-out.ts";
import type { Arrival, Ask, Router, Wait, Way } from "./route.ts";
import { begins, type RouteRule, type RouteTable, renamed, serviceOf } from "./route-table.ts";
import type { KnownServer, ServerPeer } from "./server-peer.ts";

/** How long a call waits at most for something to be found out, in milliseconds. */
const PATIENCE = 2_000;
const INSTANCE: Wait = { for: "instance" };

/** Says what clients are that come in at an address or name an instance. */
export interface ClientRule {
  /** As `Config.listen` names it; null for all. */
  readonly listener: string | null;
  /** The beginning of instance names, in whole segments; null for all. */
  readonly instance: string | null;
  readonly line: ResolvedClient;
}

/** What a router goes by. */
export interface RouterParts {
  readonly table: RouteTable<ServerPeer>;
  readonly planner: Planner;
  readonly clients: ClientPeers;
  /** The first that matches says what the client is; without one its calls tell. */
  readonly clientRules: readonly ClientRule[];
  /** Methods that some plan may do something about: calls of others never wait. */
  readonly claimed: ReadonlySet<string>;
}

/** The ways of one client's calls by one rule, as long as that much is known of the upstream. */
interface Ways {
  readonly client: ClientPeer;
  readonly known: KnownServer;
  readonly rule: RouteRule<ServerPeer>;
  readonly plan: Plan;
  readonly byPath: ReadonlyMap<string, Way>;
}

/** The router of one thread. */
export class PlanRouter implements Router {
  private readonly parts: RouterParts;
  private readonly made = new WeakMap<KnownServer, Ways[]>();
  /** Those of the call before: most calls are of one client to one upstream. */
  private last: Ways | null = null;

  constructor(parts: RouterParts) {
    this.parts = parts;
  }

  route(call: Arrival, ask: Ask): Way | Wait {
    const { path } = call;
    const instance = call.instance ?? (namesInstance(path) ? null : "");
    const rule = this.parts.table.find(serviceOf(path), instance ?? null);
    if (rule === null) return INSTANCE;
    const { peer } = rule;
    if (!this.parts.claimed.has(path)) return peer.relay;
    // The answer to GetCapabilities is about an instance, and teaches what that one is like.
    if (instance === null && (!peer.uniform || path === GET_CAPABILITIES)) return INSTANCE;
    const client = this.clientOf(call, instance);
    if (client === null) return INSTANCE;
    const theirs = instance === null ? null : renamed(rule, instance);
    const due = peer.due(theirs);
    if (due === "instance") return INSTANCE;
    if (due !== null) {
      const until = peer.find(theirs, (named) => findOut(ask(peer.target, call.fields, PATIENCE), named));
      if (due === "find") return { for: "knowledge", until };
    }
    const ways = this.waysOf(client, peer.of(theirs), rule);
    return ways.byPath.get(path) ?? peer.relay;
  }

  private clientOf({ fields, listener }: Arrival, instance: string | null): ClientPeer | null {
    const { clients, clientRules } = this.parts;
    for (const rule of clientRules) {
      if (rule.listener !== null && rule.listener !== listener) continue;
      if (rule.instance === null) return clients.of(rule.line);
      if (instance === null) return null;
      if (begins(instance, rule.instance)) return clients.of(rule.line);
    }
    return clients.in(fields);
  }

  private waysOf(client: ClientPeer, known: KnownServer, rule: RouteRule<ServerPeer>): Ways {
    const fits = (ways: Ways): boolean =>
      ways.client === client && ways.known === known && ways.rule === rule;
    if (this.last !== null && fits(this.last)) return this.last;
    const made = this.made.get(known) ?? [];
    this.made.set(known, made);
    let ways = made.find(fits);
    if (ways === undefined) {
      ways = this.makeWays(client, known, rule);
      made.push(ways);
    }
    this.last = ways;
    return ways;
  }

  private makeWays(client: ClientPeer, known: KnownServer, rule: RouteRule<ServerPeer>): Ways {
    const { peer } = rule;
    const plan = this.parts.planner.plan(client.lines, known.dialect);
    const routes = planRoutes(plan, {
      dialect: known.speaks,
      ...(rule.instance !== null && { rename: (instance: string) => renamed(rule, instance) }),
      announce: async (capabilities, { instance }) => {
        peer.heard(instance, capabilities);
        return announce(this.waysOf(client, peer.of(instance), rule).plan, capabilities);
      },
    });
    const byPath = new Map([...routes].map(([path, route]) => [path, { upstream: peer.target, route }]));
    return { client, known, rule, plan, byPath };
  }
}
