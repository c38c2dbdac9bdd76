import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { profileBehaviour } from "../../src/embedded/behaviour/of-profile.ts";
import { DEFAULT_WORKER } from "../../src/embedded/behaviour/vocabulary.ts";
import type { ResolvedClient, ResolvedProfile, ResolvedServer, Role } from "../../src/peers/profile.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { decide } from "../../src/peers/version-rule.ts";
import { explain } from "../../src/plan/explain.ts";
import { EXECUTE } from "../../src/translators/methods.ts";
import { playClient } from "../peers/client/play-client.ts";
import { decidedOfActions, mannerOfActions } from "./support/about-actions.ts";
import { ALL_SHAPES, refusedIn, told, tryShapes, type Ways } from "./support/all-shapes.ts";
import { foretold } from "./support/foretold.ts";
import { inTurns } from "./support/in-turns.ts";
import { otherwise, unwritten } from "./support/otherwise.ts";
import { type Outcome, ofBuild, ofRoundTrip, text, word } from "./support/outcome.ts";
import { planner, type Rig, startRig } from "./support/rig.ts";

// Lines of known clients before known servers, through bridges that know both, and directly where that tells more. By default the newest line of each client
// before the newest two of each server, and what ecosystem matrix M3 names; with MATRIX=full all before all. Cells of which nothing tells one from another share
// a run, and the lines that are told say which. All shapes of actions are built once for each plan as far as it is about actions; in full once for each manner of
// the client and behaviour of the server as well.

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
const UNSEEN = new Set([
  // Times and modes of outputs that the client asked for do not come.
  "node-properties",
]);

/** How many servers are busy at once. */
const WIDTH = 3;

const rigs: Rig[] = [];

before(async () => {
  for (const server of SERVERS)
    rigs.push(await startRig({ server, clients: CLIENTS, instance: instanceOf(server), replicas: 2 }));
});

after(() => Promise.all(rigs.map((rig) => rig.stop())));

/** An instance that the server has. */
function instanceOf({ facts }: ResolvedServer): string {
  return facts.instanceNames?.pattern === undefined ? "" : "projects/p/instances/i";
}

/** Old lines are played before old servers, and before those that execute in most places. */
function isPaired(client: ResolvedClient, server: ResolvedServer): boolean {
  if (FULL || NEWEST_CLIENTS.has(client.name)) return true;
  return ["buildbarn", "buildfarm", "buildgrid", "scoot"].includes(server.peer);
}

/** A client before servers of which nothing tells one from another; the first of them is played. */
interface Cell {
  readonly client: ResolvedClient;
  readonly rig: Rig;
  readonly servers: ResolvedServer[];
}

const nameOf = ({ client, rig: { server } }: Pick<Cell, "client" | "rig">) =>
  `${client.name} before ${server.name}`;

function pairs(): Pick<Cell, "client" | "rig">[] {
  return rigs.flatMap((rig) =>
    CLIENTS.filter((client) => isPaired(client, rig.server)).map((client) => ({ client, rig })),
  );
}

/** Clients of one server store some results under the same names: one after the other. */
async function playAll<Played extends { readonly rig: Rig }>(
  all: readonly Played[],
  play: (one: Played) => Promise<void>,
): Promise<void> {
  await inTurns(rigs, WIDTH, async (rig) => {
    for (const one of all) if (one.rig === rig) await play(one);
  });
}

/** What makes two servers the same for a client: what is decided of them. In full each peer counts for itself, as do its other facts. */
function cellKey({ client, rig: { server, dialect } }: Pick<Cell, "client" | "rig">): string {
  const { decisions, methods, pair } = planner.plan([client], dialect);
  const decided = decisions.map(({ feature, direction, from, to, verdict }) =>
    [feature, direction, from, to, verdict].join(" "),
  );
  const lanes = [...methods].map(([path, { lane }]) => `${path} ${lane}`);
  const { recognition: _, ...facts } = server.facts;
  const told = Object.entries(facts).map(([name, fact]) => [name, { ...fact, evidence: "" }]);
  const own = FULL ? [server.peer, pair.window, told] : [facts.execution?.stream, instanceOf(server)];
  return JSON.stringify([client.name, decided, lanes, own]);
}

type Negotiation = Awaited<ReturnType<ReturnType<typeof playClient>["negotiate"]>>;

interface Seen {
  readonly negotiation: Negotiation;
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

async function play({ client, rig }: Cell, address: string, salt: string): Promise<Seen> {
  const played = playClient({ address, as: client, instance: instanceOf(rig.server) });
  try {
    const negotiation = await played.negotiate();
    if (negotiation.verdict === "refuses") return { negotiation, outcomes: {} };
    const options = { platform: DEFAULT_WORKER, salt };
    return {
      negotiation,
      outcomes: {
        ...(negotiation.executes && { file: ofBuild(await played.build("file", options)) }),
        cache: ofRoundTrip(await played.cacheRoundTrip()),
      },
    };
  } finally {
    played.close();
  }
}

/** All that is not as it has to be in what came of a cell. */
function* problems(cell: Cell, direct: Seen, bridged: Seen): Generator<string> {
  const { client, rig } = cell;
  const plan = planner.plan([client], rig.dialect);
  const { outcome } = explain([client], rig.dialect, planner);
  const predicted = foretold([client], rig.dialect);
  const { negotiation } = bridged;
  const stoppedBefore = direct.negotiation.verdict === "refuses";
  if (negotiation.verdict === "refuses") {
    const versions = decide(client, negotiation.window).verdict === "refuses";
    const nothing = plan.decisions.every(({ verdict }) => verdict !== "reject");
    if (versions && outcome.kind !== "stops") yield `stops, against the prediction: ${negotiation.why}`;
    if (versions && nothing) yield `stops at versions for nothing: ${negotiation.why}`;
    const executes = !plan.pair.server.missingMethods.includes(EXECUTE);
    if (!versions && !stoppedBefore && executes)
      yield `stops though the server would serve it: ${negotiation.why}`;
  }
  for (const [what, after] of Object.entries(bridged.outcomes)) {
    const before = direct.outcomes[what];
    const change = `${what}: ${before === undefined ? "stopped" : text(before)} -> ${text(after)}`;
    const unseen = after.kind === "refused" && UNSEEN.has(after.feature);
    // Writes that such a client may not make are answered as if they had been made, lest it stop.
    const dropped = what === "cache" && stoppedBefore && client.facts.cacheWrites?.needed === true;
    if (after.kind === "lost" && !dropped) yield `lost silently: ${change}`;
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

function summary(bridged: Seen): string {
  if (bridged.negotiation.verdict === "refuses") return "stops";
  const kinds = new Set(Object.values(bridged.outcomes).map(word));
  return [...kinds].filter((kind) => kind !== "ok").join(" ") || "ok";
}

const isWell = ({ negotiation, outcomes }: Seen): boolean =>
  negotiation.verdict !== "refuses" && Object.values(outcomes).every(({ kind }) => kind === "ok");

test("known clients before known servers end as is predicted, and never in silent loss", async (t) => {
  const groups = Map.groupBy(pairs(), cellKey);
  const cells = [...groups.values()].map(
    (same): Cell => ({ ...same[0]!, servers: same.map(({ rig }) => rig.server) }),
  );
  const wrong: string[] = [];
  const table = new Map<string, string>();
  await playAll(cells, async (cell) => {
    const { client, servers, rig } = cell;
    const salt = `${nameOf(cell)} ${process.pid}`;
    const bridged = await play(cell, rig.bridged(client), `${salt} bridged`);
    const direct = isWell(bridged) ? bridged : await play(cell, rig.direct, `${salt} direct`);
    for (const problem of problems(cell, direct, bridged)) wrong.push(`${nameOf(cell)}: ${problem}`);
    for (const server of servers) table.set(`${server.name} ${client.name}`, summary(bridged));
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

/** A client that executes through the bridge, and how it goes about it. */
interface Executing extends Pick<Cell, "client" | "rig"> {
  readonly manner: Negotiation["manner"];
}

async function executing(): Promise<Executing[]> {
  const found: Executing[] = [];
  for (const { client, rig } of pairs()) {
    const played = playClient({ address: rig.bridged(client), as: client, instance: instanceOf(rig.server) });
    const { verdict, executes, manner } = await played.negotiate();
    played.close();
    if (verdict !== "refuses" && executes) found.push({ client, rig, manner });
  }
  return found;
}

/** What tells runs of actions from one another: the plan, and in full also how the client goes about it, and how the server does. */
function actionsKey({ client, rig, manner }: Executing): string {
  const decided = decidedOfActions(planner.plan([client], rig.dialect));
  if (!FULL) return JSON.stringify(decided);
  const { actions, outputs } = profileBehaviour(rig.server);
  const { unaskedFiles, missingOutputs } = client.facts.results ?? {};
  const key = [decided, mannerOfActions(manner), unaskedFiles, missingOutputs, actions, outputs];
  return JSON.stringify(key, (_, value) => (typeof value === "bigint" ? `${value}` : value));
}

/** The shapes that such a client writes. */
const shapesOf = (client: ResolvedClient) => ALL_SHAPES.filter((shape) => unwritten(shape, client) === null);

test("every shape of a known client ends as at a server of its own level, or is refused by name", async (t) => {
  const all = await executing();
  const runs = [...Map.groupBy(all, actionsKey).values()].map((same) => {
    const byMost = same.toSorted((a, b) => shapesOf(b.client).length - shapesOf(a.client).length);
    return { ...byMost[0]!, same: byMost };
  });
  const wrong: string[] = [];
  const refusals = new Set<string>();
  await playAll(runs, async ({ client, rig, manner, same }) => {
    const sides = { manner, facts: client.facts, server: profileBehaviour(rig.server) };
    const shapes = shapesOf(client);
    const ways: Ways = {
      play: (address) => playClient({ address, as: client, instance: instanceOf(rig.server) }),
      direct: rig.direct,
      bridged: rig.bridged(client),
      replica: rig.bridged(client, 1),
      options: { platform: DEFAULT_WORKER },
      refused: foretold([client], rig.dialect),
      unseen: UNSEEN,
      otherwise: (shape) => otherwise(shape, sides),
    };
    const tried = await tryShapes(ways, shapes, `${nameOf({ client, rig })} ${process.pid}`);
    for (const { problems: some } of tried)
      wrong.push(...some.map((line) => `${nameOf({ client, rig })}, ${line}`));
    // Methods that a server does not have stand there by their names.
    const { methods } = explain([client], rig.dialect, planner);
    const lacking = methods.flatMap(({ lane, features }) => (lane === "reject" ? features : []));
    for (const feature of refusedIn(tried)) if (!lacking.includes(feature)) refusals.add(feature);
    const others = ALL_SHAPES.filter((shape) => !shapes.includes(shape));
    const notWritten = others.length === 0 ? "" : ` | not written: ${others.join(" ")}`;
    t.diagnostic(`${same.map(nameOf).join(", ")} | ${told(tried)}${notWritten}`);
  });
  t.diagnostic(`${all.length} cells that execute in ${runs.length} runs of ${ALL_SHAPES.length} shapes`);
  assert.deepEqual(wrong, []);
  const page = await readFile(new URL("../../docs/compatibility.md", import.meta.url), "utf8");
  for (const feature of refusals) assert.ok(page.includes(`(features.md#${feature})`), feature);
});
