import assert from "node:assert/strict";
import { test } from "node:test";
import type { Shape } from "../../src/client/samples.ts";
import { DEFAULT_WORKER } from "../../src/embedded/behaviour/vocabulary.ts";
import type { ResolvedClient, ResolvedProfile, ResolvedServer, Role } from "../../src/peers/profile.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { decide } from "../../src/peers/version-rule.ts";
import { explain } from "../../src/plan/explain.ts";
import { EXECUTE } from "../../src/translators/methods.ts";
import { playClient } from "../peers/client/play-client.ts";
import { inTurns } from "./support/in-turns.ts";
import { type Outcome, ofBuild, ofRoundTrip, text, word } from "./support/outcome.ts";
import { planner, type Rig, startRig } from "./support/rig.ts";

// Lines of known clients before known servers, directly and through a bridge that knows both. By default the newest line of each client
// before the newest two of each server, and what ecosystem matrix M3 names; with MATRIX=full all before all.

const { MATRIX } = process.env;
const FULL = MATRIX === "full";
const catalogue = shippedProfiles();

/** Lines, besides the newest, that are known for not working with somebody. */
const ALSO_CLIENTS = [
  "bazel@5.4",
  "bazel@6.2",
  "bazel@7",
  "bazel@8.4",
  "buildstream@1.6",
  "buildstream@2.3",
  "pants@2.32",
  "siso@2025-05",
];
const ALSO_SERVERS = [
  "buildfarm@1.17",
  "buildfarm@2.1",
  "buildbarn@2020-06-01",
  "buildbarn@2023-06-01",
  "buildbarn@2025-11-15",
  "buildgrid@2018-11-26",
  "buildgrid@2019-12",
  "buildbuddy@2022",
  "nativelink@0.5",
];

/** Built in each run, and once for each client and what is decided of actions. */
const LIGHT = ["file", "link-to-file", "failure"] as const satisfies Shape[];
const HEAVY = ["directory", "link-to-directory"] as const satisfies Shape[];

/** The newest lines of each peer and those named besides; all lines in full. */
function chosen<Line extends ResolvedProfile>(
  role: Role,
  newest: number,
  also: readonly string[],
  resolve: (name: string) => Line,
  rangesOf: (peer: string) => readonly Line[],
): Line[] {
  const peers = new Set(catalogue.names(role).map((name) => resolve(name).peer));
  const lines = [...peers].flatMap((peer) => rangesOf(peer).slice(FULL ? 0 : -newest));
  const named = FULL ? [] : also.map(resolve);
  return [...new Map([...lines, ...named].map((line) => [line.name, line])).values()];
}

const CLIENTS: readonly ResolvedClient[] = chosen(
  "client",
  1,
  ALSO_CLIENTS,
  (name) => catalogue.resolve("client", name),
  (peer) => catalogue.ranges("client", peer),
);
const SERVERS: readonly ResolvedServer[] = chosen(
  "server",
  2,
  ALSO_SERVERS,
  (name) => catalogue.resolve("server", name),
  (peer) => catalogue.ranges("server", peer),
);

const NEWEST_CLIENTS = new Set(CLIENTS.filter(({ ends }) => ends.to === null).map(({ name }) => name));

/** What a shape cannot show: the server loses it without the bridge, and the action is refused for it. */
const UNSEEN: Readonly<Record<string, string>> = {
  "node-properties": "times and modes of outputs that the client asked for do not come",
};

type Negotiation = Awaited<ReturnType<ReturnType<typeof playClient>["negotiate"]>>;

interface Seen {
  readonly negotiation: Negotiation;
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

async function play({ client, rig, heavy }: Cell, address: string, salt: string): Promise<Seen> {
  const played = playClient({ address, as: client, instance: instanceOf(rig.server) });
  try {
    const negotiation = await played.negotiate();
    const outcomes: Record<string, Outcome> = {};
    if (negotiation.verdict === "refuses") return { negotiation, outcomes };
    if (negotiation.executes) {
      for (const shape of [...LIGHT, ...(heavy ? HEAVY : [])])
        outcomes[shape] = ofBuild(await played.build(shape, { platform: DEFAULT_WORKER, salt }));
    }
    return { negotiation, outcomes: { ...outcomes, cache: ofRoundTrip(await played.cacheRoundTrip()) } };
  } finally {
    played.close();
  }
}

/** An instance that the server has. */
function instanceOf({ facts }: ResolvedServer): string {
  return facts.instanceNames?.pattern === undefined ? "" : "projects/p/instances/i";
}

/** What makes two servers the same for a client: what is decided of them. In full each peer counts for itself, as do its other facts. */
function runKey(client: ResolvedClient, { server, dialect }: Rig): { key: string; heavy: string } {
  const { decisions, methods, pair } = planner.plan([client], dialect);
  const decided = decisions.map(({ feature, direction, from, to, verdict }) =>
    [feature, direction, from, to, verdict].join(" "),
  );
  const lanes = [...methods].map(([path, { lane }]) => `${path} ${lane}`);
  const { recognition: _, ...facts } = server.facts;
  const told = Object.entries(facts).map(([name, fact]) => [name, { ...fact, evidence: "" }]);
  const own = FULL ? [server.peer, pair.window, told] : [facts.execution?.stream, instanceOf(server)];
  const key = JSON.stringify([client.name, decided, lanes, own]);
  return { key, heavy: FULL ? key : JSON.stringify([client.name, decided]) };
}

/** Old lines are played before old servers, and before those that execute in most places. */
function isPaired(client: ResolvedClient, server: ResolvedServer): boolean {
  if (FULL || NEWEST_CLIENTS.has(client.name)) return true;
  return ["buildbarn", "buildfarm", "buildgrid", "scoot"].includes(server.peer);
}

interface Cell {
  readonly client: ResolvedClient;
  readonly servers: ResolvedServer[];
  readonly rig: Rig;
  readonly heavy: boolean;
}

function cellsOf(rigs: readonly Rig[]): Cell[] {
  const cells = new Map<string, Cell>();
  const heavies = new Set<string>();
  for (const rig of rigs) {
    for (const client of CLIENTS.filter((line) => isPaired(line, rig.server))) {
      const { key, heavy } = runKey(client, rig);
      const cell = cells.get(key) ?? { client, servers: [], rig, heavy: !heavies.has(heavy) };
      heavies.add(heavy);
      cell.servers.push(rig.server);
      cells.set(key, cell);
    }
  }
  return [...cells.values()];
}

/** All that is not as it has to be in what came of a cell. */
function* problems(cell: Cell, direct: Seen, bridged: Seen): Generator<string> {
  const { client, rig } = cell;
  const plan = planner.plan([client], rig.dialect);
  const { outcome, rows, methods } = explain([client], rig.dialect, planner);
  const predicted = new Set([
    ...rows.flatMap(({ feature, verdict }) => (verdict === "reject" ? [feature] : [])),
    ...methods.flatMap(({ lane, features }) => (lane === "reject" ? features : [])),
  ]);
  const { negotiation } = bridged;
  if (negotiation.verdict === "refuses") {
    const versions = decide(client, negotiation.window).verdict === "refuses";
    const nothing = plan.decisions.every(({ verdict }) => verdict !== "reject");
    if (versions && outcome.kind !== "stops") yield `stops, against the prediction: ${negotiation.why}`;
    if (versions && nothing) yield `stops at versions for nothing: ${negotiation.why}`;
    const executes = !plan.pair.server.missingMethods.includes(EXECUTE);
    const stoppedBefore = direct.negotiation.verdict === "refuses";
    if (!versions && !stoppedBefore && executes)
      yield `stops though the server would serve it: ${negotiation.why}`;
  }
  for (const [what, after] of Object.entries(bridged.outcomes)) {
    const before = direct.outcomes[what];
    const change = `${what}: ${before === undefined ? "stopped" : text(before)} -> ${text(after)}`;
    const unseen = after.kind === "refused" && after.feature in UNSEEN;
    if (after.kind === "lost") yield `lost silently: ${change}`;
    if (after.kind === "refused" && !predicted.has(after.feature))
      yield `a refusal nobody predicted: ${change}`;
    if (after.kind === "failed" && !endsEarly(rig.server, after.text))
      yield `an error nobody predicted: ${change}`;
    if (before?.kind === "ok" && after.kind !== "ok" && !unseen) yield `worse than without: ${change}`;
  }
}

/** Clients that wait for nothing say so themselves where an execution is to be asked for again. */
function endsEarly({ facts }: ResolvedServer, told: string): boolean {
  return facts.execution?.stream === "first-operation" && /the stream ended before the operation/.test(told);
}

function summary(direct: Seen, bridged: Seen): string {
  const kinds = new Set(Object.values(bridged.outcomes).map(word));
  const refused = [...kinds].filter((kind) => kind !== "ok");
  if (bridged.negotiation.verdict === "refuses") return "stops";
  if (refused.length > 0) return refused.join(" ");
  const before = Object.values(direct.outcomes);
  const same = before.length > 0 && before.every(({ kind }) => kind === "ok");
  return same && direct.negotiation.verdict === bridged.negotiation.verdict ? "ok" : "translated";
}

test("known clients before known servers end as is predicted, and never in silent loss", async (t) => {
  const rigs: Rig[] = [];
  t.after(() => Promise.all(rigs.map((rig) => rig.stop())));
  for (const server of SERVERS) {
    rigs.push(await startRig({ server, clients: CLIENTS, instance: instanceOf(server) }));
  }
  const cells = cellsOf(rigs);
  const wrong: string[] = [];
  const table = new Map<string, string>();
  const playCell = async (cell: Cell): Promise<void> => {
    const { client, servers, rig } = cell;
    const salt = `${client.name} ${rig.server.name} ${process.pid}`;
    const direct = await play(cell, rig.direct, `${salt} direct`);
    const bridged = await play(cell, rig.bridged(client), `${salt} bridged`);
    for (const problem of problems(cell, direct, bridged)) {
      wrong.push(`${client.name} before ${rig.server.name}: ${problem}`);
    }
    for (const server of servers) table.set(`${server.name} ${client.name}`, summary(direct, bridged));
  };
  // Clients of one server store some results under the same names: one after the other.
  await inTurns(rigs, 4, async (rig) => {
    for (const cell of cells) if (cell.rig === rig) await playCell(cell);
  });
  for (const server of SERVERS) {
    const played = CLIENTS.filter(({ name }) => table.has(`${server.name} ${name}`));
    const row = Map.groupBy(played, (client) => table.get(`${server.name} ${client.name}`)!);
    const told = [...row].map(([came, clients]) => `${came}: ${clients.map(({ name }) => name).join(" ")}`);
    t.diagnostic(`${server.name} | ${told.join(" | ")}`);
  }
  t.diagnostic(`${table.size} cells in ${cells.length} runs`);
  assert.deepEqual(wrong, []);
});
