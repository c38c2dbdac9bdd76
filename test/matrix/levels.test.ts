import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { Connection } from "../../src/client/connection.ts";
import { mannerOf } from "../../src/client/manner.ts";
import { RemoteClient } from "../../src/client/remote-client.ts";
import { sampleOf } from "../../src/client/samples.ts";
import { HEAVY_SHAPES, type HeavyShape } from "../../src/client/shapes/heavy.ts";
import { levelBehaviour } from "../../src/embedded/behaviour/of-level.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { codec } from "../../src/spec/codec.ts";
import { LEVELS, type Level } from "../../src/spec/versions.ts";
import { GET_ACTION_RESULT } from "../../src/translators/methods.ts";
import { playClient } from "../peers/client/play-client.ts";
import { V2 } from "../support/reapi-client.ts";
import { decidedOfActions, mannerOfActions } from "./support/about-actions.ts";
import { ALL_SHAPES, type AnyShape, refusedIn, told, tryShapes, type Ways } from "./support/all-shapes.ts";
import { emptyBlob } from "./support/empty-blob.ts";
import { foretold } from "./support/foretold.ts";
import { inTurns } from "./support/in-turns.ts";
import { type LevelProfiles, writeLevelProfiles } from "./support/level-profiles.ts";
import { otherwise } from "./support/otherwise.ts";
import { type Outcome, ofBuild, ofRoundTrip, text, word } from "./support/outcome.ts";
import { planner, type Rig, startRig } from "./support/rig.ts";

// Clients of all levels before servers of all levels, through bridges that know both, and directly where that tells more. Cells of which nothing tells one from
// another share a run; the lines that are told say which. The heavy shapes are built where a plan decides something that no other one does, with MATRIX=full once
// for each plan of actions.

const { MATRIX } = process.env;
const FULL = MATRIX === "full";
const HEAVY_SHAPE_NAMES = Object.keys(HEAVY_SHAPES) as HeavyShape[];

/** How many servers are busy at once. */
const WIDTH = 3;

let dir: string;
let profiles: LevelProfiles;
const rigs = new Map<Level, Promise<Rig>>();

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "levels-"));
  profiles = await writeLevelProfiles(dir);
});

after(async () => {
  for (const rig of rigs.values()) await (await rig).stop();
  await rm(dir, { recursive: true });
});

function rigOf(level: Level): Promise<Rig> {
  let rig = rigs.get(level);
  if (rig === undefined) {
    rig = startRig({
      server: profiles.server(level),
      plays: { level },
      clients: LEVELS.map((each) => profiles.client(each)),
      profiles: profiles.files,
      replicas: 2,
    });
    rigs.set(level, rig);
  }
  return rig;
}

interface Cell {
  readonly client: Level;
  readonly server: Level;
  readonly plan: Plan;
}

const nameOf = ({ client, server }: Cell): string => `${client} > ${server}`;

async function allCells(): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const server of LEVELS) {
    const { dialect } = await rigOf(server);
    for (const client of LEVELS)
      cells.push({ client, server, plan: planner.plan([profiles.client(client)], dialect) });
  }
  return cells;
}

/** Cells of which nothing tells one from another are one run, played with the first of them. */
function runsOf(cells: readonly Cell[], keyOf: (cell: Cell) => unknown): [Cell, ...Cell[]][] {
  const text = (cell: Cell) =>
    JSON.stringify(keyOf(cell), (_, value) => (typeof value === "bigint" ? `${value}` : value));
  return [...Map.groupBy(cells, text).values()] as [Cell, ...Cell[]][];
}

/** Clients of one server store some results under the same names: one after the other. */
async function playAll(runs: readonly [Cell, ...Cell[]][], play: (run: [Cell, ...Cell[]]) => Promise<void>) {
  await inTurns(LEVELS, WIDTH, async (level) => {
    for (const run of runs) if (run[0].server === level) await play(run);
  });
}

/** What a client does with a store and a cache, and one build, by name. */
async function outcomes(
  { client: level }: Cell,
  address: string,
  salt: string,
): Promise<Readonly<Record<string, Outcome>>> {
  const client = playClient({ address, as: level });
  const unset = playClient({ address, as: level, writes: { "digest-function-field": ["unset"] } });
  try {
    return {
      file: ofBuild(await client.build("file", { salt })),
      cache: ofRoundTrip(await client.cacheRoundTrip()),
      unset: ofRoundTrip(await unset.cacheRoundTrip()),
      empty: await emptyBlob(address, level),
    };
  } finally {
    client.close();
    unset.close();
  }
}

/** The bytes that the action cache has for the file that was built with this salt. */
async function cached(level: Level, address: string, salt: string): Promise<string> {
  const connection = new Connection(address, { level });
  const client = new RemoteClient(connection, mannerOf(level));
  const { spec, inputs } = sampleOf("file", { salt });
  const { encoded } = client.prepare(spec, client.inputs(inputs));
  const { hash, sizeBytes } = encoded.action.digest;
  const request = codec(level).encode(`${V2}.GetActionResultRequest`, { actionDigest: { hash, sizeBytes } });
  try {
    return (await connection.unaryBytes(GET_ACTION_RESULT, request)).toString("hex");
  } finally {
    connection.close();
  }
}

test("all levels before all levels: stores, caches and a build get no worse, and refusals are those of the plan", async (t) => {
  const cells = await allCells();
  const runs = runsOf(cells, ({ client, plan: { decisions, methods } }) => {
    const { level: _, ...manner } = mannerOf(client);
    const decided = decisions.map(({ feature, direction, from, to, verdict }) => [
      feature,
      direction,
      from,
      to,
      verdict,
    ]);
    return [manner, decided, [...methods].map(([path, { lane }]) => [path, lane])];
  });
  const problems: string[] = [];
  let same = 0;
  await playAll(runs, async (run) => {
    const [cell] = run;
    const rig = await rigOf(cell.server);
    const client = profiles.client(cell.client);
    const bridgedAt = rig.bridged(client);
    const salt = `${nameOf(cell)} ${process.pid}`;
    const bridged = await outcomes(cell, bridgedAt, `${salt} bridged`);
    const allWell = Object.values(bridged).every(({ kind }) => kind === "ok");
    const direct = allWell ? bridged : await outcomes(cell, rig.direct, `${salt} direct`);
    const refused = foretold([client], rig.dialect);
    for (const [what, after] of Object.entries(bridged)) {
      const before = direct[what]!;
      const say = (law: string) =>
        problems.push(`${nameOf(cell)}, ${what}: ${law}: ${text(before)} -> ${text(after)}`);
      if (before.kind === "ok" && after.kind !== "ok") say("worse than without the bridge");
      if (after.kind === "lost") say("lost silently");
      if (after.kind === "failed") say("an error that is no refusal by name");
      if (after.kind === "refused" && !refused.has(after.feature)) say("a refusal that is not in the plan");
    }
    const { file } = bridged;
    if (file?.kind === "ok" && decidedOfActions(cell.plan).length === 0) {
      const at = (address: string) => cached(cell.client, address, `${salt} bridged`);
      assert.equal(await at(bridgedAt), await at(rig.direct), `${nameOf(cell)}: the same bytes`);
      same++;
    }
    const byCame = Map.groupBy(Object.entries(bridged), ([, outcome]) => word(outcome));
    const summary = [...byCame].map(([came, all]) => `${came}: ${all.map(([what]) => what).join(" ")}`);
    t.diagnostic(`${run.map(nameOf).join(", ")} | ${summary.join(", ")}`);
  });
  t.diagnostic(`${cells.length} cells in ${runs.length} runs`);
  assert.deepEqual(problems, []);
  assert.ok(same > 10);
});

/** Tries shapes with the first cell of a run: all problems, and the features that were refused. */
async function tryCells(
  t: TestContext,
  run: readonly [Cell, ...Cell[]],
  shapes: readonly AnyShape[],
): Promise<{ readonly problems: string[]; readonly refused: string[] }> {
  const [cell] = run;
  const rig = await rigOf(cell.server);
  const client = profiles.client(cell.client);
  const sides = { manner: mannerOf(cell.client), facts: client.facts, server: levelBehaviour(cell.server) };
  const ways: Ways = {
    play: (address) => playClient({ address, as: cell.client }),
    direct: rig.direct,
    bridged: rig.bridged(client),
    replica: rig.bridged(client, 1),
    options: {},
    refused: foretold([client], rig.dialect),
    unseen: new Set(),
    otherwise: (shape) => otherwise(shape, sides),
  };
  const tried = await tryShapes(ways, shapes, `${nameOf(cell)} ${process.pid}`);
  t.diagnostic(`${run.map(nameOf).join(", ")} | ${told(tried)}`);
  return {
    problems: tried.flatMap(({ problems }) => problems.map((line) => `${nameOf(cell)}, ${line}`)),
    refused: refusedIn(tried),
  };
}

test("all levels before all levels: every shape ends as at a server of the client's own level, or is refused by name", async (t) => {
  const cells = await allCells();
  const runs = runsOf(cells, ({ client, server, plan }) => {
    const { actions, outputs } = levelBehaviour(server);
    const { resultLevel: _, metadataLevel: _too, ...results } = outputs;
    return [mannerOfActions(mannerOf(client)), decidedOfActions(plan), actions, results];
  });
  const problems: string[] = [];
  const refusals = new Set<string>();
  await playAll(runs, async (run) => {
    const { problems: found, refused } = await tryCells(t, run, ALL_SHAPES);
    problems.push(...found);
    for (const feature of refused) refusals.add(feature);
  });
  t.diagnostic(`${cells.length} cells in ${runs.length} runs of ${ALL_SHAPES.length} shapes`);
  assert.deepEqual(problems, []);
  const page = await readFile(new URL("../../docs/compatibility.md", import.meta.url), "utf8");
  const levels = page.slice(page.indexOf("## Levels"));
  for (const feature of refusals) assert.ok(levels.includes(`](features.md#${feature})`), feature);
});

/** Runs of which each has something decided that those before do not have. */
function covering(runs: readonly [Cell, ...Cell[]][]): [Cell, ...Cell[]][] {
  const covered = new Set<string>();
  const byMost = runs.toSorted(
    ([a], [b]) => decidedOfActions(b.plan).length - decidedOfActions(a.plan).length,
  );
  return byMost.filter(([{ plan }]) => {
    const fresh = decidedOfActions(plan).filter((line) => !covered.has(line));
    for (const line of fresh) covered.add(line);
    return fresh.length > 0;
  });
}

test("a thousand outputs, and an input tree of twenty thousand files", { timeout: 600_000 }, async (t) => {
  const distinct = runsOf(await allCells(), ({ plan }) => decidedOfActions(plan));
  const runs = FULL ? distinct : covering(distinct);
  const problems: string[] = [];
  for (const run of runs) problems.push(...(await tryCells(t, run, HEAVY_SHAPE_NAMES)).problems);
  t.diagnostic(`${runs.length} of ${distinct.length} plans`);
  assert.deepEqual(problems, []);
});
