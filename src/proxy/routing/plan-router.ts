/** Routes calls by what is known of their client and of their upstream. */
import { isUnder } from "../../config/instance-name.ts";
import type { ResolvedClient } from "../../peers/profile.ts";
import type { ProfileCatalogue } from "../../peers/profile-catalogue.ts";
import type { Plan } from "../../plan/plan.ts";
import { type Planner, windowOfAll } from "../../plan/planner.ts";
import { announce } from "../../plan/run-hooks.ts";
import { GET_CAPABILITIES } from "../../translators/methods.ts";
import { untagOperation } from "../../wire/operation-name.ts";
import { headEditOf } from "../lanes/head-edit.ts";
import type { Reach } from "../lanes/hook-call.ts";
import { instanceOf, namesInstance } from "../lanes/instance-of.ts";
import { namesOperation } from "../lanes/operation-names.ts";
import { planRoutes } from "../lanes/plan-routes.ts";
import type { CallHandler } from "../messages/opened-call.ts";
import { cannotMerge, NO_VERSION } from "./cannot-merge.ts";
import type { ClientPeer, ClientPeers } from "./client-peers.ts";
import { findOut } from "./find-out.ts";
import { answerForGroup, groupOf, type InstanceGroup, namesOf, rulesOf } from "./instance-group.ts";
import type { Arrival, Ask, Route, Router, Wait, Way } from "./route.ts";
import { NO_INSTANCE, type RouteRule, type RouteTable, renamed, serviceOf } from "./route-table.ts";
import type { KnownServer, ServerPeer } from "./server-peer.ts";

type Rule = RouteRule<ServerPeer>;

/** How long a call waits at most for something to be found out, in milliseconds. */
const PATIENCE = 2_000;
const INSTANCE: Wait = { for: "instance" };

/** Says what clients are that come in at an address and name an instance. */
interface ClientRule {
  /** As `Config.listen` names it; null for all. */
  readonly listener: string | null;
  /** The beginning of instance names, in whole segments; empty for all. */
  readonly instance: string;
  readonly line: ResolvedClient;
}

/** What a router goes by. */
export interface RouterParts {
  readonly table: RouteTable<ServerPeer>;
  readonly planner: Planner;
  readonly catalogue: ProfileCatalogue;
  readonly clients: ClientPeers;
  /** The first that matches says what the client is; without one its calls tell. */
  readonly clientRules: readonly ClientRule[];
  /** Methods that some plan may do something about: calls of others never wait. */
  readonly claimed: ReadonlySet<string>;
}

/** The ways of one client's calls by one rule, as long as that much is known of its upstream and of those beside it. */
interface Ways {
  readonly client: ClientPeer;
  /** The rule, and those of the upstreams that serve the instance together. */
  readonly members: readonly Rule[];
  /** What is known of the upstream of each. */
  readonly known: readonly KnownServer[];
  readonly plan: Plan;
  readonly byPath: ReadonlyMap<string, Way>;
  /** For methods without a way of their own. */
  readonly relay: Way;
}

/** The way that the last call of a method took whose instance nobody had to look at. */
interface Trodden {
  readonly peer: ServerPeer;
  readonly client: ClientPeer;
  readonly known: KnownServer;
  readonly way: Way;
}

/** The router of one thread. */
export class PlanRouter implements Router {
  private readonly parts: RouterParts;
  /** By path, of methods of the API only: nearly all calls go the way of the one before. */
  private readonly trodden = new Map<string, Trodden>();
  private readonly made = new WeakMap<KnownServer, Ways[]>();
  /** Those of the call before: most calls are of one client to one upstream. */
  private last: Ways | null = null;

  constructor(parts: RouterParts) {
    this.parts = parts;
  }

  route(call: Arrival, ask: Ask): Way | Wait {
    if (call.instance !== null) return this.find(call, ask);
    const trodden = this.trodden.get(call.path);
    if (trodden !== undefined && trodden.known === trodden.peer.settled) {
      if (trodden.client === this.clientOf(call, null)) return trodden.way;
    }
    return this.find(call, ask);
  }

  private get severalExecute(): boolean {
    return this.parts.table.executors.size > 1;
  }

  /** The rule of the upstream that runs the operation that a call names; of the first for names of others. Null before the name is known. */
  private executorOf({ instance: name }: Arrival): Rule | null {
    if (name === null) return null;
    const { executors } = this.parts.table;
    const { tag } = untagOperation(name);
    const [first] = executors.values();
    return (tag?.route === undefined ? undefined : executors.get(tag.route)) ?? first!;
  }

  private find(call: Arrival, ask: Ask): Way | Wait {
    const { path } = call;
    const { table, claimed } = this.parts;
    const named = namesInstance(path) ? call.instance : instanceInName(call);
    const rule =
      this.severalExecute && namesOperation(path)
        ? this.executorOf(call)
        : table.find(serviceOf(path), named);
    if (rule === null) return INSTANCE;
    const { peer } = rule;
    if (!claimed.has(path) && !(namesInstance(path) && this.minds(rule))) return peer.relay;
    const instance = named === NO_INSTANCE ? null : named;
    // What an operation stands for is in its name, and the one upstream of a bridge that has just begun may not be known yet.
    if (namesOperation(path) && call.instance === null && peer.settled === null) return INSTANCE;
    // The answer to GetCapabilities is about an instance, and teaches what that one is like.
    if (named === null && (!peer.uniform || path === GET_CAPABILITIES)) return INSTANCE;
    const client = this.clientOf(call, named === NO_INSTANCE ? "" : named);
    if (client === null) return INSTANCE;
    const group = table.single ? null : groupOf(table, named);
    const wait =
      this.waitFor(rule, instance, call, ask) ??
      (group === null ? null : this.waitForAll(group, instance, call, ask));
    // A call that names no instance does with what is known of others.
    if (wait !== null && (wait.for !== "instance" || named !== NO_INSTANCE)) return wait;
    if (path === GET_CAPABILITIES && group !== null && rulesOf(group).length > 1) {
      return { upstream: peer.target, route: { lane: "local", handle: this.capabilitiesOf(group, client) } };
    }
    const ways = this.waysOf(client, rule, instance, group);
    const way = ways.byPath.get(path) ?? ways.relay;
    if (call.instance === null && group === null) {
      this.trodden.set(path, { peer, client, known: ways.known[0]!, way });
    }
    return way;
  }

  /** Whether the instance that a call by this rule names must be no other than the one that was looked at. */
  private minds(rule: Rule): boolean {
    return this.parts.table.tellsInstances || rule.rename !== null;
  }

  /** What has to be found out about an upstream first. What is old is looked up beside the call. */
  private waitFor(rule: Rule, instance: string | null, call: Arrival, ask: Ask): Wait | null {
    const { peer } = rule;
    const theirs = instance === null ? null : renamed(rule, instance);
    const due = peer.due(theirs, call.fields);
    if (due === null) return null;
    if (due === "instance") return INSTANCE;
    const catalogue = peer.configured ? null : this.parts.catalogue;
    const until = peer.find(theirs, call.fields, (name) =>
      findOut(ask(peer.target, call.fields, PATIENCE), name, catalogue, PATIENCE),
    );
    return due === "find" ? { for: "knowledge", until } : null;
  }

  /** The same for all upstreams of an instance. */
  private waitForAll(group: InstanceGroup, instance: string | null, call: Arrival, ask: Ask): Wait | null {
    const waits: Promise<void>[] = [];
    for (const rule of rulesOf(group)) {
      const wait = this.waitFor(rule, instance, call, ask);
      if (wait === null) continue;
      if (wait.for !== "knowledge") return wait;
      waits.push(wait.until);
    }
    return waits.length === 0 ? null : { for: "knowledge", until: Promise.all(waits).then(() => {}) };
  }

  private clientOf({ fields, listener }: Arrival, instance: string | null): ClientPeer | null {
    const { clients, clientRules } = this.parts;
    for (const rule of clientRules) {
      if (rule.listener !== null && rule.listener !== listener) continue;
      if (rule.instance === "") return clients.of(rule.line);
      if (instance === null) return null;
      if (isUnder(rule.instance, instance)) return clients.of(rule.line);
    }
    return clients.in(fields);
  }

  private waysOf(client: ClientPeer, rule: Rule, instance: string | null, group: InstanceGroup | null): Ways {
    const members = [rule, ...(group === null ? [] : rulesOf(group))];
    const known = members.map((of) => of.peer.of(instance === null ? null : renamed(of, instance)));
    const fits = (ways: Ways): boolean =>
      ways.client === client && isSame(ways.members, members) && isSame(ways.known, known);
    if (this.last !== null && fits(this.last)) return this.last;
    const made = this.made.get(known[0]!) ?? [];
    this.made.set(known[0]!, made);
    let ways = made.find(fits);
    if (ways === undefined) {
      ways = this.makeWays(client, members, known, group);
      made.push(ways);
    }
    this.last = ways;
    return ways;
  }

  private makeWays(
    client: ClientPeer,
    members: readonly Rule[],
    known: readonly KnownServer[],
    group: InstanceGroup | null,
  ): Ways {
    const [rule] = members as readonly [Rule, ...Rule[]];
    const [own] = known as readonly [KnownServer, ...KnownServer[]];
    const { peer } = rule;
    const knownOf = (of: Rule): KnownServer => known[members.indexOf(of)]!;
    const others = members.filter((of) => of.peer !== peer);
    const plan = this.parts.planner.plan(
      client.lines,
      own.dialect,
      others.map((of) => knownOf(of).dialect),
    );
    const reach = (of: Rule): Reach => ({
      dialect: knownOf(of).speaks,
      upstream: of.peer.target,
      rename: (instance) => renamed(of, instance),
    });
    const routes = planRoutes(plan, {
      dialect: own.speaks,
      ...(others.length > 0 && {
        beside: {
          store: reach(group!.store),
          results: reach(group!.results),
          execution: reach(group!.execution),
        },
      }),
      ...(this.severalExecute && { executor: rule.upstream }),
      ...(this.minds(rule) && { rename: (instance: string) => renamed(rule, instance) }),
      announce: async (capabilities, { instance }, from) => {
        if (from === "bridge") return announce(plan, capabilities);
        peer.heard(instance, capabilities);
        const fresh = peer.of(instance);
        const current = fresh === own ? plan : this.parts.planner.plan(client.lines, fresh.dialect);
        return announce(current, capabilities);
      },
    });
    const byPath = new Map([...routes].map(([path, route]) => [path, { upstream: peer.target, route }]));
    const head = headEditOf(plan);
    const route: Route | null = head === undefined ? null : { lane: "relay", filter: null, head };
    const relay = route === null ? peer.relay : { upstream: peer.target, route };
    return { client, members, known, plan, byPath, relay };
  }

  /** Answers GetCapabilities of an instance that several upstreams serve. */
  private capabilitiesOf(group: InstanceGroup, client: ClientPeer): CallHandler {
    return async (opened) => {
      const request = await opened.request();
      const instance = instanceOf(opened.method, request, true);
      const answer = await answerForGroup(opened, request, instance, group, {
        heard: (rule, capabilities) => rule.peer.heard(renamed(rule, instance), capabilities),
        told: (rule, capabilities) => announce(this.waysOf(client, rule, instance, group).plan, capabilities),
      });
      const dialects = rulesOf(group).map((rule) => rule.peer.of(renamed(rule, instance)).dialect);
      if (windowOfAll(dialects) === null) throw cannotMerge(namesOf(group), NO_VERSION);
      await opened.respond([answer]);
    };
  }
}

/** The instance of the operation that a call names, as its name carries it. */
function instanceInName({ path, instance: name }: Arrival): string | typeof NO_INSTANCE {
  if (!namesOperation(path) || name === null) return NO_INSTANCE;
  return untagOperation(name).tag?.execution?.instance ?? NO_INSTANCE;
}

function isSame<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
