import { formatAddress } from "./address.ts";
import { didYouMean } from "./did-you-mean.ts";
import { isUnder } from "./instance-name.ts";
import type { Sections } from "./sections.ts";
import { type Address, type ClientRule, DEFAULT_UPSTREAM, type Route } from "./types.ts";

/** Whether the route takes every call that comes to it. */
export function takesAll({ services, instance }: Route): boolean {
  return services === null && instance === "";
}

/**
 * What does not fit together in routes and upstreams.
 * @param flat Where the option `upstream` is given; null if it is not, and then the last route has to take all.
 */
export function* routeProblems(sections: Sections, flat: string | null): Generator<string> {
  const { routes, upstreams, place } = sections;
  const names = [...upstreams.keys(), ...(flat === null ? [] : [DEFAULT_UPSTREAM])];
  for (const [i, { upstream }] of routes.entries()) {
    if (names.includes(upstream)) continue;
    const hint = didYouMean(upstream, names) || `; there are ${names.join(", ") || "none"}`;
    yield `${place(["routes", i, "upstream"])}: no upstream is called "${upstream}"${hint}`;
  }
  for (const name of upstreams.keys()) {
    const used = routes.some(({ upstream }) => upstream === name);
    if (!used) yield `${place(["upstreams", name])}: no route leads there; add one or remove the upstream`;
  }
  for (const [i, route] of routes.entries()) yield* hidden(sections, route, i);
  yield* ending(sections, flat);
}

/** A route that earlier ones leave nothing for. */
function* hidden({ routes, place }: Sections, route: Route, at: number): Generator<string> {
  const earlier = routes.slice(0, at);
  const holders = holdersOf(route, earlier);
  if (holders === null) return;
  const same = holders.find((holder) => takesTheSame(holder, route));
  if (same !== undefined) {
    yield `${place(["routes", at])}: takes the same calls as ${ordinal(routes, same)}; remove one of them`;
    return;
  }
  const who = [...new Set(holders)].map((holder) => ordinal(routes, holder));
  const take = who.length === 1 ? "takes" : "take";
  yield `${place(["routes", at])}: never takes a call, as ${who.join(" and ")} ${take} all of them; move it before or remove it`;
}

/** The earlier routes that together take all that the route would, or null if something is left. */
function holdersOf(route: Route, earlier: readonly Route[]): Route[] | null {
  const holders: Route[] = [];
  for (const service of route.services ?? [null]) {
    const holder = earlier.find(
      ({ services, instance }) =>
        isUnder(instance, route.instance) &&
        (services === null || (service !== null && services.includes(service))),
    );
    if (holder === undefined) return null;
    holders.push(holder);
  }
  return holders;
}

function takesTheSame(a: Route, b: Route): boolean {
  const services = (route: Route) => route.services?.toSorted().join() ?? null;
  return a.instance === b.instance && services(a) === services(b);
}

function ordinal(routes: readonly Route[], route: Route): string {
  return `route ${routes.indexOf(route) + 1}`;
}

/** Every call needs a server, and a server calls. */
function* ending({ routes, place }: Sections, flat: string | null): Generator<string> {
  const last = routes.at(-1);
  if (last === undefined) return;
  const all = routes.some(takesAll);
  if (!all && flat === null) {
    yield `${place(["routes", routes.length - 1])}: calls that no route takes have no server; add a last route that has only an upstream, or upstream: HOST:PORT`;
  }
  if (all && flat !== null && !routes.some(({ upstream }) => upstream === DEFAULT_UPSTREAM)) {
    yield `${flat}: gets no call, as the routes take all; remove it, or the route that takes all`;
  }
}

/** What does not fit together in the rules that tell clients apart. */
export function* clientProblems({ clients, place }: Sections, listen: readonly Address[]): Generator<string> {
  const addresses = listen.map(formatAddress);
  for (const [i, rule] of clients.entries()) {
    const address = rule.listen && formatAddress(rule.listen);
    if (address !== null && !addresses.includes(address)) {
      const hint = didYouMean(address, addresses) || `; there are ${addresses.join(", ")}`;
      yield `${place(["clients", i, "listen"])}: nothing listens on ${address}${hint}`;
    }
    const before = clients.slice(0, i).findIndex((earlier) => covers(earlier, rule));
    if (before >= 0) {
      yield `${place(["clients", i])}: never matches, as rule ${before + 1} takes all its calls; move it before or remove it`;
    }
  }
}

function covers(earlier: ClientRule, later: ClientRule): boolean {
  const text = ({ listen }: ClientRule) => listen && formatAddress(listen);
  return (
    (earlier.listen === null || text(earlier) === text(later)) && isUnder(earlier.instance, later.instance)
  );
}
