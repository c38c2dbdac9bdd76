import assert from "node:assert/strict";
import { test } from "node:test";
import { CallFailed } from "../../src/client/call-failed.ts";
import { Connection } from "../../src/client/connection.ts";
import type { ResolvedClient, ResolvedServer } from "../../src/peers/profile.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { messageLevel } from "../peers/client/forms.ts";
import { playClient } from "../peers/client/play-client.ts";
import { toolHeaders } from "../peers/client/tool.ts";
import { inTurns } from "./support/in-turns.ts";
import { type Rig, startRig } from "./support/rig.ts";
import { lacks, TRANSFER_SHAPES, type TransferShape, type Work } from "./support/transfer-shapes.ts";

// Every line of every known client before every line of every known server, as far as they differ in how blobs travel: each shape of requests
// that the client makes, directly and through a bridge that knows both. What fails directly fails for the reason on record, and works through the bridge.

const catalogue = shippedProfiles();

/** Facts of a server that matter to a transfer. */
const SERVER_FACTS = [
  "level",
  "window",
  "missingMethods",
  "optionalMethods",
  "compressors",
  "batchCompressors",
  "committedSize",
  "batchLimit",
  "messageLimit",
  "treePages",
  "readRange",
  "writeStatus",
  "resourceNames",
  "chunking",
  "instanceNames",
] as const;
const CLIENT_FACTS = [
  "compressors",
  "committedSize",
  "batchLimit",
  "findMissing",
  "chunking",
  "calls",
] as const;

/** All lines of a role, those that do not differ in these facts as one: the newest. */
function distinct<Line extends ResolvedClient | ResolvedServer>(
  lines: readonly Line[],
  names: readonly string[],
): Map<Line, Line[]> {
  const groups = Map.groupBy(lines, ({ facts, features }) => {
    const said: Readonly<Record<string, object>> = facts;
    return JSON.stringify([
      names.map((name) => said[name] && { ...said[name], evidence: "" }),
      features["batch-methods"]?.writes,
    ]);
  });
  return new Map([...groups.values()].map((group) => [group.at(-1)!, group]));
}

function linesOf<Line>(
  names: readonly string[],
  peerOf: (name: string) => string,
  of: (peer: string) => readonly Line[],
) {
  return [...new Set(names.map(peerOf))].flatMap(of);
}

const CLIENTS = distinct(
  linesOf(
    catalogue.names("client"),
    (name) => catalogue.resolve("client", name).peer,
    (peer) => catalogue.ranges("client", peer),
  ),
  CLIENT_FACTS,
);
const SERVERS = distinct(
  linesOf(
    catalogue.names("server"),
    (name) => catalogue.resolve("server", name).peer,
    (peer) => catalogue.ranges("server", peer),
  ).filter((server) => !lacks(server, "ByteStream/Write")),
  SERVER_FACTS,
);

type Wants = Readonly<Record<string, string>>;

const NOTHING: Wants = {};
const POLICIES: readonly Wants[] = [
  NOTHING,
  ...TRANSFER_SHAPES.map(({ policy }) => policy).filter((one) => one !== undefined),
];

/** An instance that the server has. */
function instanceOf({ facts }: ResolvedServer): string {
  return facts.instanceNames?.pattern === undefined ? "" : "projects/p/instances/i";
}

interface Tally {
  readonly cells: string[];
  readonly problems: string[];
  failedDirectly: number;
  worked: number;
}

test("blobs travel between every known client and every known server", async (t) => {
  const tally: Tally = { cells: [], problems: [], failedDirectly: 0, worked: 0 };
  await inTurns([...SERVERS.keys()], 2, async (server) => {
    for (const policy of POLICIES) {
      const shapes = TRANSFER_SHAPES.filter((shape) => (shape.policy ?? NOTHING) === policy);
      const clients = [...CLIENTS.keys()].filter((client) => shapes.some((shape) => shape.of(client)));
      const rig = await startRig({ server, clients, instance: instanceOf(server), policy });
      try {
        for (const client of clients) await tryAll(client, rig, shapes, tally);
      } finally {
        await rig.stop();
      }
    }
  });
  t.diagnostic(
    `${tally.cells.length} cells (${CLIENTS.size} kinds of clients, ${SERVERS.size} kinds of servers): ${tally.failedDirectly} fail directly, ${tally.worked} work through the bridge`,
  );
  assert.deepEqual(tally.problems, []);
  assert.ok(tally.failedDirectly > 100, `${tally.failedDirectly}`);
});

async function tryAll(
  client: ResolvedClient,
  rig: Rig,
  shapes: readonly TransferShape[],
  tally: Tally,
): Promise<void> {
  const { server } = rig;
  for (const shape of shapes) {
    if (!shape.of(client) || shape.at?.(server) === false) continue;
    const cell = `${client.name} before ${server.name}, ${shape.name}`;
    tally.cells.push(cell);
    const direct = await outcome(client, server, rig.direct, shape);
    const bridged = await outcome(client, server, rig.bridged(client), shape);
    const must = shape.mustFail(client, server);
    if (direct !== null) tally.failedDirectly++;
    if (bridged === null) tally.worked++;
    if (direct !== null && !shape.fails.test(direct))
      tally.problems.push(`${cell}: directly fails for ${direct}`);
    if (must === true && direct === null)
      tally.problems.push(`${cell}: directly works, against what is on record`);
    if (must === false && direct !== null)
      tally.problems.push(`${cell}: directly fails, against what is on record: ${direct}`);
    if (bridged !== null) tally.problems.push(`${cell}: fails through the bridge: ${bridged}`);
  }
}

/** What goes wrong; null if nothing does. A client that turns a server down is taken to go on. */
async function outcome(
  client: ResolvedClient,
  server: ResolvedServer,
  address: string,
  shape: TransferShape,
): Promise<string | null> {
  const level = messageLevel(client);
  const instance = instanceOf(server);
  const played = playClient({ address, as: client, instance });
  const connection = new Connection(address, { level, headers: toolHeaders(client, level), callMs: 20_000 });
  try {
    const { manner } = await played.negotiate();
    const work: Work = { connection, manner, instance };
    await shape.run(work);
    return null;
  } catch (error) {
    return error instanceof CallFailed ? error.text : `${error}`;
  } finally {
    played.close();
    connection.close();
  }
}
