/** From the names on a command line to what is known of the peers. */
import { loadConfig } from "../../config/load.ts";
import { upstreamName } from "../../config/place-kinds.ts";
import type { Upstream } from "../../config/types.ts";
import { ValueError } from "../../config/value-error.ts";
import type { Dialect, PeerFacts } from "../../peers/dialect.ts";
import type { Role } from "../../peers/profile.ts";
import type { ProfileCatalogue } from "../../peers/profile-catalogue.ts";
import { levelServer, serverFacts, unknownServer } from "../../peers/server-dialect.ts";
import type { KnownClient } from "../../plan/known-client.ts";
import { type Level, parseLevel } from "../../spec/versions.ts";
import { TRANSLATORS } from "../../translators/registry.ts";
import { resolveDialect } from "../../translators/resolve-dialect.ts";
import { UsageError } from "../command.ts";
import { askServer } from "./live-server.ts";

/** Where peers are looked up. */
export interface PeerSources {
  readonly profiles: ProfileCatalogue;
  /** The instance that a running server is asked about. */
  readonly instance: string;
  /** The configuration file, which may name the server and says how to reach one with TLS. */
  readonly config: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A peer, and where what is known of it is from, in a few words. */
export interface Known<T> {
  readonly peer: T;
  readonly from: string;
}

/** The client called `name`: a profile or a level. @throws UsageError with what was probably meant. */
export function clientCalled(name: string, profiles: ProfileCatalogue): Known<KnownClient> {
  const level = levelIn("client", name);
  if (level !== null) return { peer: level, from: `level ${level}` };
  const line = looked("client", () => profiles.resolve("client", name));
  return { peer: [line], from: `profile ${line.name}` };
}

/**
 * The server called `name`: a profile, a level, or an address, where it is asked what it can do. Without a name it is the upstream of the
 * configuration.
 * @throws UsageError with what was probably meant, StartError for a wrong configuration or a server that does not answer.
 */
export async function serverCalled(
  name: string | undefined,
  sources: PeerSources,
): Promise<Known<Dialect<"server">>> {
  if (name === undefined || isAddress(name)) return askedServer(upstreamOf(name, sources), sources.instance);
  const level = levelIn("server", name);
  if (level !== null) return known(levelServer(level), `level ${level}`);
  const profile = looked("server", () => sources.profiles.resolve("server", name));
  return known(serverFacts({ ...unknownServer(name), configured: profile }), `profile ${profile.name}`);
}

/** Names of profiles and levels have neither a colon nor a slash. */
function isAddress(name: string): boolean {
  return /[:/]/.test(name);
}

async function askedServer(upstream: Upstream, instance: string): Promise<Known<Dialect<"server">>> {
  if (upstream.kind === "embedded") {
    const level = parseLevel(upstream.level);
    return known(levelServer(level), `the embedded server of level ${level}`);
  }
  const evidence = await askServer(upstream, instance);
  const said = evidence.advertised === null ? "it has no GetCapabilities" : "its answer to GetCapabilities";
  return known(serverFacts(evidence), said);
}

function known(facts: PeerFacts<"server">, from: string): Known<Dialect<"server">> {
  return { peer: resolveDialect(facts, TRANSLATORS), from };
}

function upstreamOf(address: string | undefined, { config, env }: PeerSources): Upstream {
  if (address !== undefined) checkAddress(address);
  const flags = new Map([
    ...(config === undefined ? [] : [["config", [config]] as const]),
    ...(address === undefined ? [] : [["upstream", [address]] as const]),
  ]);
  return loadConfig({ flags, env, terminal: false }).upstream;
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
