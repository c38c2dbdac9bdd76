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

  /** Each upstream once. */
  get peers(): readonly Peer[] {
    return [...new Set(this.rules.map(({ peer }) => peer))];
  }

  /** The rule for a method, `/package.Service/Method`, and an instance; null if it takes the instance to tell and that is not known. */
  find(path: string, instance: string | null): RouteRule<Peer> | null {
    const rules = this.forService(serviceOf(path));
    for (const rule of rules) {
      if (rule.instance === null) return rule;
      if (instance === null) return null;
      if (begins(instance, rule.instance)) return rule;
    }
    return null;
  }

  private forService(service: string): readonly RouteRule<Peer>[] {
    let rules = this.byService.get(service);
    if (rules === undefined) {
      rules = this.rules.filter(({ services }) => services === null || services.includes(service));
      // Names come from clients: no more are kept than there can be sensible ones.
      if (this.byService.size < MOST_SERVICES) this.byService.set(service, rules);
    }
    return rules;
  }
}

const MOST_SERVICES = 1024;

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

function serviceOf(path: string): string {
  return path.slice(1, path.lastIndexOf("/"));
}
