/** Peers of the package's profiles, as the planner takes them. */
import { windowOf } from "../../src/peers/api-window.ts";
import type { Dialect } from "../../src/peers/dialect.ts";
import type { ResolvedClient, ResolvedServer } from "../../src/peers/profile.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { serverFacts, unknownServer } from "../../src/peers/server-dialect.ts";
import { clientDialect } from "../../src/plan/known-client.ts";
import { TRANSLATORS } from "../../src/translators/registry.ts";
import { resolveDialect } from "../../src/translators/resolve-dialect.ts";

const profiles = shippedProfiles();

/** One line of a client. */
export function clientLine(name: string): ResolvedClient {
  return profiles.resolve("client", name);
}

/** What is known of a server that the operator says is this one. */
export function serverDialect(name: string): Dialect<"server"> {
  return dialectOf(profiles.resolve("server", name));
}

/** One line of a client, as it is before a server that states its versions to it. */
export function clientBefore(name: string, server: Dialect<"server">): Dialect<"client"> {
  return clientDialect([clientLine(name)], windowOf(server.facts), TRANSLATORS);
}

/** Every line of every client. */
export function allClients(): ResolvedClient[] {
  return [...new Set(profiles.names("client").flatMap((peer) => profiles.ranges("client", peer)))];
}

/** Every line of every server. */
export function allServers(): Dialect<"server">[] {
  const lines = new Set(profiles.names("server").flatMap((peer) => profiles.ranges("server", peer)));
  return [...lines].map(dialectOf);
}

function dialectOf(line: ResolvedServer): Dialect<"server"> {
  return resolveDialect(serverFacts({ ...unknownServer(line.name), configured: line }), TRANSLATORS);
}
