/** One server that is played, and before it bridges that know what it is and on which address which client comes in. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "../../../src/client/connection.ts";
import type { ServerSetup } from "../../../src/embedded/behaviour/setup.ts";
import type { ServerControls } from "../../../src/embedded/controls.ts";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { type Bridge, createBridge } from "../../../src/index.ts";
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
  /** What clients may not write, whatever the server would let them. */
  readonly readOnly?: readonly ("cache" | "store")[];
  /** An instance that the server has; the one without a name by default. */
  readonly instance?: string;
  /** Files of profiles besides those of this package. */
  readonly profiles?: readonly string[];
  /** What the operator wants done with features. */
  readonly policy?: Readonly<Record<string, string>>;
  /** How many bridges there are: they share nothing. One by default. */
  readonly replicas?: number;
  /** Where the server keeps blobs and results; in memory if it is left out. */
  readonly dir?: string;
}

/** A server and its bridges. */
export interface Rig {
  readonly server: ResolvedServer;
  /** Where the server is. */
  readonly direct: string;
  readonly controls: ServerControls;
  /** Where a bridge takes the calls of a client: the first one, or another by its number. */
  bridged(client: ResolvedClient, replica?: number): string;
  /** What is known of the server, announcements included: what the bridge's plans are made from. */
  readonly dialect: Dialect<"server">;
  stop(): Promise<void>;
}

/** Makes the plans that are to be expected, as bridges do without a policy. */
export const planner = new Planner(TRANSLATORS, {});

/** Starts all of it. */
export async function startRig({
  server,
  clients,
  plays,
  setup,
  readOnly,
  instance = "",
  profiles = [],
  policy = {},
  replicas = 1,
  dir: storeDir,
}: RigOptions): Promise<Rig> {
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const role = plays === undefined ? { as: server, ...(setup && { setup }) } : plays;
  const played = await startEmbedded({
    ...role,
    ...(readOnly && { readOnly }),
    listen,
    dir: storeDir ?? null,
  });
  const dir = await mkdtemp(join(tmpdir(), "rig-"));
  const pathOf = ({ name }: ResolvedClient, replica: number) =>
    join(dir, `${replica}-${clients.findIndex((client) => client.name === name)}`);
  const startBridge = async (_: unknown, replica: number): Promise<Bridge> => {
    const ways = clients.map((client) => ({
      listen: { kind: "unix", path: pathOf(client, replica) } as const,
      instance: "",
      profile: client.name,
    }));
    const config = configFor(played.address, {
      upstream: { profile: server.name },
      listen: ways.map((way) => way.listen),
      clients: ways,
      profiles,
      policy,
    });
    const bridge = await createBridge({ config });
    await ask(`unix:${pathOf(clients[0]!, replica)}`, instance);
    return bridge;
  };
  const bridges = await Promise.all(Array.from({ length: replicas }, startBridge));
  return {
    server,
    direct: played.address,
    controls: played.controls,
    bridged: (client, replica = 0) => `unix:${pathOf(client, replica)}`,
    dialect: await dialectOf(server, played.address, instance),
    async stop() {
      await Promise.all(bridges.map((bridge) => bridge.stop()));
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
