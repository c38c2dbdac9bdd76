/** From the names on a command line to what is known of the peers. */
import { loadConfig } from "../../config/load.ts";
import { upstreamName } from "../../config/place-kinds.ts";
import { DEFAULT_UPSTREAM, type Upstream } from "../../config/types.ts";
import { ValueError } from "../../config/value-error.ts";
import type { Dialect, PeerFacts } from "../../peers/dialect.ts";
import type { ResolvedServer, Role } from "../../peers/profile.ts";
import type { ProfileCatalogue } from "../../peers/profile-catalogue.ts";
import { shippedProfiles } from "../../peers/read-profile.ts";
import { levelServer, type ServerEvidence, serverFacts, unknownServer } from "../../peers/server-dialect.ts";
import type { KnownClient } from "../../plan/known-client.ts";
import type { Policy } from "../../plan/plan.ts";
import { readSettings } from "../../plan/settings.ts";
import { type Level, parseLevel } from "../../spec/versions.ts";
import { GET_CAPABILITIES } from "../../translators/methods.ts";
import { TRANSLATORS } from "../../translators/registry.ts";
import { resolveDialect } from "../../translators/resolve-dialect.ts";
import { UsageError } from "../command.ts";
import { askServer } from "./live-server.ts";

/** What there is besides the names: the profiles to look them up in, and the upstream that is meant without one. */
export interface Background {
  readonly profiles: ProfileCatalogue;
  readonly policy: Policy;
  /** The upstream, and the profile that the operator names for it; null if no configuration is concerned. */
  readonly upstream: { readonly of: Upstream; readonly profile: ResolvedServer | null } | null;
}

/** A peer, and where what is known of it is from, in a few words. */
export interface Known<T> {
  readonly peer: T;
  readonly from: string;
}

/**
 * The background of a command line: that of the configuration, where a file is named or a server is to be reached, else that of the package.
 * @param server The name or address given; undefined for the upstream of the configuration.
 * @throws UsageError or StartError that says what is wrong.
 */
export function backgroundOf(
  server: string | undefined,
  config: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Background {
  const address = server !== undefined && isAddress(server) ? server : undefined;
  if (address !== undefined) checkAddress(address);
  const isNamed = server !== undefined && address === undefined;
  const { REAPI_BRIDGE_CONFIG: file = "", REAPI_BRIDGE_UPSTREAM: upstream = "" } = env;
  if (server === undefined && config === undefined && file === "" && upstream === "") {
    throw new UsageError(
      "--server: is needed, as in --server buildbarn@2026-03-26 or --server HOST:PORT, where no --config names the upstream",
    );
  }
  if (isNamed && config === undefined && file === "") {
    return { profiles: shippedProfiles(), policy: {}, upstream: null };
  }
  const flags = new Map([
    ...(config === undefined ? [] : [["config", [config]] as const]),
    ...(address === undefined ? [] : [["upstream", [address]] as const]),
  ]);
  const loaded = loadConfig({ flags, env, terminal: false });
  const { catalogue, policy, servers } = readSettings(loaded);
  const profile = servers.get(DEFAULT_UPSTREAM) ?? null;
  return { profiles: catalogue, policy, upstream: { of: loaded.upstream, profile } };
}

/** The client called `name`: a profile or a level. @throws UsageError with what was probably meant. */
export function clientCalled(name: string, { profiles }: Background): Known<KnownClient> {
  const level = levelIn("client", name);
  if (level !== null) return { peer: level, from: `level ${level}` };
  const line = looked("client", () => profiles.resolve("client", name));
  return { peer: [line], from: `profile ${line.name}` };
}

/**
 * The server called `name`: a profile, a level, or an address, where it is asked what it is. Without a name it is the upstream of the
 * configuration.
 * @throws UsageError with what was probably meant, StartError for a server that does not answer.
 */
export async function serverCalled(
  name: string | undefined,
  instance: string,
  { profiles, upstream }: Background,
): Promise<Known<Dialect<"server">>> {
  if (name === undefined || isAddress(name)) {
    const { of, profile } = upstream!;
    return of.kind === "embedded"
      ? embedded(of, profiles)
      : asked(await askServer(of, instance, profile, profiles));
  }
  const level = levelIn("server", name);
  if (level !== null) return known(levelServer(level), `level ${level}`);
  return described(looked("server", () => profiles.resolve("server", name)));
}

/** Names of profiles and levels have neither a colon nor a slash. */
function isAddress(name: string): boolean {
  return /[:/]/.test(name);
}

function embedded(
  of: Extract<Upstream, { kind: "embedded" }>,
  profiles: ProfileCatalogue,
): Known<Dialect<"server">> {
  if ("server" in of) return described(looked("server", () => profiles.resolve("server", of.server)));
  const level = parseLevel(of.level);
  return known(levelServer(level), `the embedded server of level ${level}`);
}

function described(profile: ResolvedServer): Known<Dialect<"server">> {
  return known(
    serverFacts({ ...unknownServer(profile.name), configured: profile }),
    `profile ${profile.name}`,
  );
}

function asked(evidence: ServerEvidence): Known<Dialect<"server">> {
  const { configured, recognised, advertised, probed } = evidence;
  const has = !probed.missingMethods.includes(GET_CAPABILITIES);
  const parts = [
    "its answers",
    ...(configured === null ? [] : [`profile ${configured.name}, as the configuration says`]),
    ...(configured === null && recognised !== null ? ["recognised by them"] : []),
    ...(advertised === null ? [has ? "its capabilities cannot be read" : "it has no GetCapabilities"] : []),
  ];
  return known(serverFacts(evidence), parts.join("; "));
}

function known(facts: PeerFacts<"server">, from: string): Known<Dialect<"server">> {
  return { peer: resolveDialect(facts, TRANSLATORS), from };
}

/** What is wrong with an address is said of the flag that it was given by. */
function checkAddress(address: string): void {
  try {
    upstreamName.parse(address);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new UsageError(error.sentence("--server", address));
  }
}

/** Whether a name means a level: those begin with a digit, or are `main`. */
function levelIn(role: Role, name: string): Level | null {
  if (!/^v?\d/.test(name) && name !== "main") return null;
  return looked(role, () => parseLevel(name));
}

function looked<T>(role: Role, find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`--${role}: ${error.message}`);
  }
}
