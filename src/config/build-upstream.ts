import { accessSync, constants } from "node:fs";
import type { Given } from "./given.ts";
import type { OptionName } from "./options.ts";
import type { Authority, Upstream, UpstreamTls } from "./types.ts";

const TLS = [
  "upstreamCa",
  "upstreamCert",
  "upstreamKey",
  "upstreamServerName",
  "upstreamInsecure",
] as const satisfies OptionName[];

/** What does not fit together in what is said of an upstream that has an address. */
export function* upstreamProblems(given: Given): Generator<string> {
  const upstream = given.need("upstream");
  if (upstream.kind === "embedded" || !upstream.secure) {
    const useless = TLS.filter((name) => given.get(name) !== undefined && given.get(name) !== false);
    const fix = `write ${given.label("upstream")} grpcs://HOST:PORT`;
    for (const name of useless) yield `${given.where(name)}: means nothing without TLS; ${fix}`;
  }
  yield* unpaired(given, "upstreamCert", "upstreamKey");
  yield* unpaired(given, "upstreamKey", "upstreamCert");
  yield* unreadableFiles(given, ["upstreamCa", "upstreamCert", "upstreamKey"]);
}

/** What is said of an upstream although there is none. */
export function* withoutUpstream(given: Given): Generator<string> {
  for (const name of [...TLS, "upstreamProfile", "authority"] as const) {
    if (given.has(name)) yield `${given.where(name)}: means nothing without ${given.label("upstream")}`;
  }
}

/** An option that is of no use without another. */
export function* unpaired(given: Given, name: OptionName, needs: OptionName): Generator<string> {
  if (given.get(name) !== undefined && given.get(needs) === undefined) {
    yield `${given.where(name)}: needs ${given.label(needs)} as well`;
  }
}

type FileOption = "tlsCert" | "tlsKey" | "tlsClientCa" | "upstreamCa" | "upstreamCert" | "upstreamKey";

/** Files that are named and cannot be read. */
export function* unreadableFiles(given: Given, names: readonly FileOption[]): Generator<string> {
  for (const name of names) {
    const path = given.get(name);
    if (path === undefined) continue;
    try {
      accessSync(path, constants.R_OK);
    } catch (error) {
      yield `${given.where(name)}: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`;
    }
  }
}

function tlsOf(given: Given): UpstreamTls {
  const tls = {
    ca: given.get("upstreamCa"),
    cert: given.get("upstreamCert"),
    key: given.get("upstreamKey"),
    serverName: given.get("upstreamServerName"),
    insecureSkipVerify: given.get("upstreamInsecure"),
  };
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}

function authorityOf(text: string): Authority {
  return text === "upstream" || text === "client" ? text : { fixed: text };
}

/** The upstream that the values make, which has an address. */
export function upstreamOf(given: Given): Upstream {
  const name = given.need("upstream");
  const profile = given.get("upstreamProfile") ?? null;
  if (name.kind === "embedded") return { ...name, profile };
  return {
    kind: "address",
    address: name.address,
    display: name.display,
    tls: name.secure ? tlsOf(given) : null,
    authority: authorityOf(given.need("authority")),
    profile,
  };
}
