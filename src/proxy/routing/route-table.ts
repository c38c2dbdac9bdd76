/** Which upstream serves which calls: the operator's routes, the first that matches. */

/** What a route matches, and where it leads. */
export interface RouteRule<Peer> {
  /** Full names of gRPC services; null for all. */
  readonly services: readonly string[] | null;
  /** The beginning of instance names, in whole segments; null for all, "" as well. */
  readonly instance: string | null;
  /** What stands in place of `instance` towards the upstream; null leaves it. */
  readonly rename: string | null;
  readonly peer: Peer;
}

/** Of calls that name no instance, as those about operations. */
export const NO_INSTANCE = Symbol("no instance");

/** What a call names: an instance, none, or one that is not known yet. */
export type Named = string | typeof NO_INSTANCE | null;

/** Services remembered with their routes. Their names come from clients: no more than there can be sensible ones. */
const MOST_SERVICES = 1024;

/** Routes in the order of matching; the last one matches everything. */
export class RouteTable<Peer> {
  private readonly rules: readonly RouteRule<Peer>[];
  private readonly byService = new Map<string, readonly RouteRule<Peer>[]>();

  constructor(rules: readonly RouteRule<Peer>[]) {
    this.rules = rules;
  }

  /** Everything goes to one upstream. */
  static to<Peer>(peer: Peer): RouteTable<Peer> {
    return new RouteTable([{ services: null, instance: null, rename: null, peer }]);
  }

  /** Whether all calls go to one upstream. */
  get single(): boolean {
    return this.rules.every(({ peer }) => peer === this.rules[0]!.peer);
  }

  /** The rule for a gRPC service and an instance; null if it takes the instance to tell and that is not known. */
  find(service: string, instance: Named): RouteRule<Peer> | null {
    for (const rule of this.forService(service)) {
      if (rule.instance === null || instance === NO_INSTANCE) return rule;
      if (instance === null) return null;
      if (begins(instance, rule.instance)) return rule;
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
  if (rename === null || prefix === null) return instance;
  const rest = instance.slice(prefix.length).replace(/^\//, "");
  return [rename, rest].filter((part) => part !== "").join("/");
}

/** Whether `instance` begins with `prefix`, in whole segments. */
export function begins(instance: string, prefix: string): boolean {
  if (prefix === "" || instance === prefix) return true;
  return instance.startsWith(`${prefix}/`);
}

/** The service of a method, `/package.Service/Method`. */
export function serviceOf(path: string): string {
  return path.slice(1, path.lastIndexOf("/"));
}
