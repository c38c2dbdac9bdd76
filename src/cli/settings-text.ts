import { formatAddress } from "../config/address.ts";
import { SERVICE_GROUPS } from "../config/service-names.ts";
import { type Config, DEFAULT_UPSTREAM, type Route, type Upstream } from "../config/types.ts";
import type { ResolvedProfile } from "../peers/profile.ts";
import type { Settings } from "../plan/settings.ts";

/** What a configuration means, for a person's terminal. */
export function settingsText(config: Config, settings: Settings): string {
  return [
    listening(config),
    section("upstreams", upstreams(config, settings)),
    section("routes", routes(settings)),
    section("clients", clients(settings)),
    section("policy", policy(config)),
    section("profiles", profiles(config, settings)),
  ].join("\n");
}

type Row = readonly string[];

/** A title, and rows under it whose columns stand in line. */
function section(title: string, rows: readonly Row[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (row: Row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ")}`.trimEnd();
  return `${title}\n${rows.map(line).join("\n")}\n`;
}

function listening({ listen, tls, admin, workers }: Config): string {
  const secure = tls === null ? "plain" : tls.clientCa === undefined ? "TLS" : "mutual TLS";
  return section("listens on", [
    ...listen.map((address) => [formatAddress(address), secure]),
    ...(admin === null ? [] : [[formatAddress(admin), "admin"]]),
    ...(workers === 1 ? [] : [[`${workers} threads`, ""]]),
  ]);
}

function upstreams({ upstream, upstreams: named }: Config, { servers }: Settings): Row[] {
  return [...servers].map(([name, profile]) => [
    name,
    place(name === DEFAULT_UPSTREAM ? upstream : named[name]!),
    profile === null ? "to be recognised" : described(profile),
  ]);
}

function place(upstream: Upstream): string {
  if (upstream.kind === "address") return upstream.display;
  return `embedded:${"level" in upstream ? upstream.level : upstream.server}`;
}

function described({ title, range, name }: ResolvedProfile): string {
  return `${`${title} ${range}`.trimEnd()} (${name})`;
}

function routes({ routes: all }: Settings): Row[] {
  return all.map((route) => [
    services(route),
    instances(route.instance),
    `→ ${route.upstream}`,
    renamed(route),
  ]);
}

function renamed({ instance, rename }: Route): string {
  if (rename === null) return "";
  return rename === "" ? `without ${instance}` : `as ${instances(rename)}`;
}

/** Short names where all services of one are there. */
function services({ services: given }: Route): string {
  if (given === null) return "all services";
  const groups = Object.entries(SERVICE_GROUPS).filter(([, names]) =>
    names.every((name) => given.includes(name)),
  );
  const covered = groups.flatMap(([, names]) => names);
  return [...groups.map(([name]) => name), ...given.filter((name) => !covered.includes(name))].join(", ");
}

function instances(prefix: string): string {
  return prefix === "" ? "all instances" : `${prefix}[/…]`;
}

function clients({ clients: rules }: Settings): Row[] {
  const told = rules.map(({ listen, instance, profile }) => [
    listen === null ? "all listeners" : formatAddress(listen),
    instances(instance),
    described(profile),
  ]);
  const last = rules.at(-1);
  const all = last !== undefined && last.listen === null && last.instance === "";
  return all ? told : [...told, ["all listeners", "all instances", "told by each call"]];
}

function policy({ policy: given }: Config): Row[] {
  const rows = Object.entries(given).filter(([, value]) => value !== "auto");
  return rows.length === 0 ? [["auto for all features"]] : [...rows, ["all others", "auto"]];
}

function profiles({ profiles: files }: Config, { catalogue }: Settings): Row[] {
  const count = (role: "client" | "server") => {
    const names = catalogue.names(role);
    return new Set(names.map((name) => catalogue.ranges(role, name)[0]!.peer)).size;
  };
  return [
    [`${count("server")} servers and ${count("client")} clients are known`],
    ...files.map((file) => [file]),
  ];
}
