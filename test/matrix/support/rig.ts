/** One server that is played, and before it a bridge that knows what it is and on which address which client comes in. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "../../../src/client/connection.ts";
import type { ServerSetup } from "../../../src/embedded/behaviour/setup.ts";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { createBridge } from "../../../src/index.ts";
import { readAdvertised } from "../../../src/peers/advertised.ts";
import type { Dialect } from "../../../src/peers/dialect.ts";
import type { ResolvedClient, ResolvedServer } from "../../../src/peers/profile.ts";
import { serverFacts, unknownServer } from "../../../src/peers/server-dialect.ts";
import { Planner } from "../../../src/plan/planner.ts";
import { GET_CAPABILITIES } from "../../../src/translators/methods.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { configFor } from "../../support/bridge.ts";

/** What the server does as it comes: nothing of it is optional, but instances may be called anything. */
interface RigOptions {
  readonly server: ResolvedServer;
  readonly clients: readonly ResolvedClient[];
  /** What the server plays, if that is not its profile alone. */
  readonly plays?: { readonly level: string };
  readonly setup?: Partial<ServerSetup>;
  /** An instance that the server has; the one without a name by default. */
  readonly instance?: string;
  /** Files of profiles besides those of this package. */
  readonly profiles?: readonly string[];
}

/** A server and its bridge. */
export interface Rig {
  readonly server: ResolvedServer;
  /** Where the server is. */
  readonly direct: string;
  /** Where the bridge takes the calls of a client. */
  bridged(client: ResolvedClient): string;
  /** What is known of the server, announcements included: what the bridge's plans are made from. */
  readonly dialect: Dialect<"server">;
  stop(): Promise<void>;
}

/** Makes the plans that are to be expected, as bridges do without a policy. */
export const planner = new Planner(TRANSLATORS, {});

/** Starts both. */
export async function startRig({
  server,
  clients,
  plays,
  setup,
  instance = "",
  profiles = [],
}: RigOptions): Promise<Rig> {
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const role = plays === undefined ? { as: server, ...(setup && { setup }) } : plays;
  const played = await startEmbedded({ ...role, listen, dir: null });
  const dir = await mkdtemp(join(tmpdir(), "rig-"));
  const paths = new Map(clients.map(({ name }, i) => [name, join(dir, `${i}`)]));
  const address = (path: string) => ({ kind: "unix", path }) as const;
  const config = configFor(played.address, {
    upstream: { profile: server.name },
    listen: [...paths.values()].map(address),
    clients: [...paths].map(([profile, path]) => ({ listen: address(path), instance: "", profile })),
    profiles,
  });
  const bridge = await createBridge({ config });
  const bridged = ({ name }: ResolvedClient) => `unix:${paths.get(name)}`;
  await ask(bridged(clients[0]!), instance);
  return {
    server,
    direct: played.address,
    bridged,
    dialect: await dialectOf(server, played.address, instance),
    async stop() {
      await bridge.stop();
      await played.stop();
      await rm(dir, { recursive: true });
    },
  };
}

/** GetCapabilities, from which a bridge learns; null where the server does not answer. */
async function ask(address: string, instance: string): Promise<Buffer | null> {
  const connection = new Connection(address);
  const request = new FieldWriter();
  if (instance !== "") request.text(1, instance);
  try {
    return await connection.unaryBytes(GET_CAPABILITIES, request.toBuffer());
  } catch {
    return null;
  } finally {
    connection.close();
  }
}

async function dialectOf(
  server: ResolvedServer,
  address: string,
  instance: string,
): Promise<Dialect<"server">> {
  const said = await ask(address, instance);
  const advertised = said === null ? null : readAdvertised(said);
  const facts = serverFacts({ ...unknownServer(address), configured: server, advertised });
  return resolveDialect(facts, TRANSLATORS);
}
