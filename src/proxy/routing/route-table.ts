/** Which upstream serves which calls: the operator's routes, the first that matches. */
import { isUnder } from "../../config/instance-name.ts";
import type { Route } from "../../config/types.ts";

/** A route and the upstream it leads to. */
export interface RouteRule<Peer> extends Route {
  readonly peer: Peer;
}

/** Of calls that name no instance, as those about operations. */
export const NO_INSTANCE = Symbol("no instance");

/** What a call names: an instance, none, or one that is not known yet. */
export type Named = string | typeof NO_INSTANCE | null;

const EXECUTION = "build.bazel.remote.execution.v2.Execution";

/** Services remembered with their routes. Their names come from clients: no more than there can be sensible ones. */
const MOST_SERVICES = 1024;

/** Routes in the order of matching; the last one matches everything. */
export class RouteTable<Peer> {
  /** Whether all calls go to one upstream. */
  readonly single: boolean;
  /** The rules by which executions go, by the names of their upstreams. */
  readonly executors: ReadonlyMap<string, RouteRule<Peer>>;
  /** Whether names of instances matter to where calls go. */
  readonly tellsInstances: boolean;
  private readonly rules: readonly RouteRule<Peer>[];
  private readonly byService = new Map<string, readonly RouteRule<Peer>[]>();

  constructor(rules: readonly RouteRule<Peer>[]) {
    this.rules = rules;
    this.tellsInstances = rules.some(({ instance }) => instance !== "");
    this.single = rules.every(({ peer }) => peer === rules[0]!.peer);
    const executors = new Map<string, RouteRule<Peer>>();
    for (const rule of this.forService(EXECUTION)) {
      if (!executors.has(rule.upstream)) executors.set(rule.upstream, rule);
      // What comes after one that takes every instance never executes.
      if (rule.instance === "") break;
    }
    this.executors = executors;
  }

  /** The rule for a gRPC service and an instance; null if it takes the instance to tell and that is not known. */
  find(service: string, instance: Named): RouteRule<Peer> | null {
    for (const rule of this.forService(service)) {
      if (rule.instance === "" || instance === NO_INSTANCE) return rule;
      if (instance === null) return null;
      if (isUnder(rule.instance, instance)) return rule;
    }
    return null;
  }

  private forService(service: string): readonly RouteRule<Peer>[] {
    let rules = this.byService.get(service);
    if (rules === undefined) {
      rules = this.rules.filter(({ services }) => services === null || services.includes(service));
      if (this.byService.size < MOST_SERVICES) this.byService.set(service, rules);
    }
    return rules;
  }
}

/** The instance as the upstream of a rule calls it. */
export function renamed({ instance: prefix, rename }: RouteRule<unknown>, instance: string): string {
  if (rename === null) return instance;
  const rest = instance.slice(prefix.length).replace(/^\//, "");
  return [rename, rest].filter((part) => part !== "").join("/");
}

/** The service of a method, `/package.Service/Method`. */
export function serviceOf(path: string): string {
  return path.slice(1, path.lastIndexOf("/"));
}
