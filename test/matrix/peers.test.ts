import assert from "node:assert/strict";
import { test } from "node:test";
import type { Shape } from "../../src/client/samples.ts";
import { DEFAULT_WORKER } from "../../src/embedded/behaviour/vocabulary.ts";
import type { ResolvedClient, ResolvedServer } from "../../src/peers/profile.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { decide } from "../../src/peers/version-rule.ts";
import { explain } from "../../src/plan/explain.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { playClient } from "../peers/client/play-client.ts";
import { inTurns } from "./support/in-turns.ts";
import { type Outcome, ofBuild, ofRoundTrip, text, word } from "./support/outcome.ts";
import { planner, type Rig, startRig } from "./support/rig.ts";

// Lines of known clients before known servers, directly and through a bridge that knows both. By default the newest line of each client
// before the newest two of each server, and what ecosystem matrix M3 names; with MATRIX=full all before all.

const FULL = process.env["MATRIX"] === "full";
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

const SHAPES = [
  "file",
  "directory",
  "link-to-file",
  "link-to-directory",
  "failure",
] as const satisfies Shape[];

function lines<Role extends "server" | "client">(role: Role, newest: number, also: readonly string[]) {
  const peers = new Set(catalogue.names(role).map((name) => catalogue.resolve(role, name).peer));
  const chosen = [...peers].flatMap((peer) => catalogue.ranges(role, peer).slice(FULL ? 0 : -newest));
  const named = FULL ? [] : also.map((name) => catalogue.resolve(role, name));
  return [...new Map([...chosen, ...named].map((line) => [line.name, line])).values()];
}

const CLIENTS: readonly ResolvedClient[] = lines("client", 1, ALSO_CLIENTS);
const SERVERS: readonly ResolvedServer[] = lines("server", 2, ALSO_SERVERS);

type Negotiation = Awaited<ReturnType<ReturnType<typeof playClient>["negotiate"]>>;

interface Seen {
  readonly negotiation: Negotiation;
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

async function play(client: ResolvedClient, address: string, salt: string): Promise<Seen> {
  const played = playClient({ address, as: client });
  try {
    const negotiation = await played.negotiate();
    const outcomes: Record<string, Outcome> = {};
    if (negotiation.verdict === "refuses") return { negotiation, outcomes };
    if (negotiation.executes) {
      for (const shape of SHAPES)
        outcomes[shape] = ofBuild(await played.build(shape, { platform: DEFAULT_WORKER, salt }));
    }
    outcomes["cache"] = ofRoundTrip(await played.cacheRoundTrip());
    return { negotiation, outcomes };
  } finally {
    played.close();
  }
}

/** What makes two servers the same for a client: what is decided of them, and how they answer. */
function runKey(client: ResolvedClient, server: ResolvedServer, { decisions, methods, pair }: Plan): string {
  const decided = decisions.map(({ feature, direction, from, to, verdict }) =>
    [feature, direction, from, to, verdict].join(" "),
  );
  const lanes = [...methods].map(([path, { lane }]) => `${path} ${lane}`);
  const { recognition: _, window: __, ...facts } = server.facts;
  const told = Object.entries(facts).map(([name, fact]) => [name, { ...fact, evidence: "" }]);
  return JSON.stringify([
    client.name,
    server.peer,
    decided,
    lanes,
    pair.window,
    pair.server.facts.window,
    told,
  ]);
}

interface Cell {
  readonly client: ResolvedClient;
  readonly servers: ResolvedServer[];
  readonly rig: Rig;
}

async function cellsOf(rigs: readonly Rig[]): Promise<Cell[]> {
  const cells = new Map<string, Cell>();
  for (const rig of rigs) {
    for (const client of CLIENTS) {
      const key = runKey(client, rig.server, planner.plan([client], rig.dialect));
      const cell = cells.get(key) ?? { client, servers: [], rig };
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
  const versions = decide(client, negotiation.window).verdict;
  if (versions === "refuses") {
    if (outcome.kind !== "stops") yield `stops at versions, against the prediction: ${negotiation.why}`;
    if (plan.decisions.every(({ verdict }) => verdict !== "reject"))
      yield `stops at versions for nothing: ${negotiation.why}`;
  } else if (negotiation.verdict === "refuses") {
    if (!isTrue(cell, direct)) yield `stops though the server would serve it: ${negotiation.why}`;
  }
  for (const [what, after] of Object.entries(bridged.outcomes)) {
    const before = direct.outcomes[what];
    const change = `${what}: ${before === undefined ? "stopped" : text(before)} -> ${text(after)}`;
    if (after.kind === "lost" && !lostAnyway(client, what)) yield `lost silently: ${change}`;
    if (after.kind === "refused" && !predicted.has(after.feature))
      yield `a refusal nobody predicted: ${change}`;
    if (after.kind === "failed") yield `an error nobody predicted: ${change}`;
    if (before?.kind === "ok" && after.kind !== "ok") yield `worse than without the bridge: ${change}`;
  }
}

/** Whether the client, had it liked the versions, would have stopped at the server itself for the reason it gives. */
function isTrue(_cell: Cell, direct: Seen): boolean {
  return direct.negotiation.verdict === "refuses";
}

/** A client that reads no list of links gets none from any server. */
function lostAnyway({ features }: ResolvedClient, what: string): boolean {
  return what.startsWith("link") && features["output-symlinks"]?.reads?.includes("none") === true;
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
  for (const server of SERVERS) rigs.push(await startRig({ server, clients: CLIENTS }));
  const cells = await cellsOf(rigs);
  const wrong: string[] = [];
  const table = new Map<string, string>();
  await inTurns(cells, 4, async (cell) => {
    const { client, servers, rig } = cell;
    const salt = `${client.name} ${rig.server.name} ${process.pid}`;
    const direct = await play(client, rig.direct, `${salt} direct`);
    const bridged = await play(client, rig.bridged(client), `${salt} bridged`);
    for (const problem of problems(cell, direct, bridged)) {
      wrong.push(`${client.name} before ${rig.server.name}: ${problem}`);
    }
    for (const server of servers) table.set(`${server.name} ${client.name}`, summary(direct, bridged));
  });
  for (const server of SERVERS) {
    const row = Map.groupBy(CLIENTS, (client) => table.get(`${server.name} ${client.name}`)!);
    const told = [...row].map(([came, clients]) => `${came}: ${clients.map(({ name }) => name).join(" ")}`);
    t.diagnostic(`${server.name} | ${told.join(" | ")}`);
  }
  t.diagnostic(`${SERVERS.length * CLIENTS.length} cells in ${cells.length} runs`);
  assert.deepEqual(wrong, []);
});
