import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Connection } from "../../src/client/connection.ts";
import { mannerOf } from "../../src/client/manner.ts";
import { RemoteClient } from "../../src/client/remote-client.ts";
import { type Shape, sampleOf } from "../../src/client/samples.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { codec } from "../../src/spec/codec.ts";
import { LEVELS, type Level } from "../../src/spec/versions.ts";
import { EXECUTE, GET_ACTION_RESULT } from "../../src/translators/methods.ts";
import { playClient } from "../peers/client/play-client.ts";
import { V2 } from "../support/reapi-client.ts";
import { emptyBlob } from "./support/empty-blob.ts";
import { inTurns } from "./support/in-turns.ts";
import { type LevelProfiles, writeLevelProfiles } from "./support/level-profiles.ts";
import { type Outcome, ofBuild, ofRoundTrip, text, word } from "./support/outcome.ts";
import { planner, type Rig, startRig } from "./support/rig.ts";

// Clients of all levels before servers of all levels, directly and through a bridge that knows both.

/** Built once for each plan. */
const LIGHT = ["file", "link-to-file", "failure"] as const satisfies Shape[];
/** Built once for each plan as far as it is about actions. */
const HEAVY = ["directory", "link-to-directory", "platform", "program"] as const satisfies Shape[];
const OF_ACTIONS = [EXECUTE, GET_ACTION_RESULT];

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
    });
    rigs.set(level, rig);
  }
  return rig;
}

/** What a client does, by name. */
type Outcomes = Readonly<Record<string, Outcome>>;

async function outcomes(
  { client: level }: Cell,
  address: string,
  heavy: boolean,
  salt: string,
): Promise<Outcomes> {
  const client = playClient({ address, as: level });
  const unset = playClient({ address, as: level, writes: { "digest-function-field": ["unset"] } });
  try {
    const found: Record<string, Outcome> = {};
    for (const shape of [...LIGHT, ...(heavy ? HEAVY : [])])
      found[shape] = ofBuild(await client.build(shape, { salt }));
    return {
      ...found,
      cache: ofRoundTrip(await client.cacheRoundTrip()),
      unset: ofRoundTrip(await unset.cacheRoundTrip()),
      empty: await emptyBlob(address, level),
    };
  } finally {
    client.close();
    unset.close();
  }
}

/** The bytes that the action cache has for a shape that was built with this salt. */
async function cached(level: Level, address: string, shape: Shape, salt: string): Promise<string> {
  const connection = new Connection(address, { level });
  const client = new RemoteClient(connection, mannerOf(level));
  const { spec, inputs } = sampleOf(shape, { salt });
  const { encoded } = client.prepare(spec, client.inputs(inputs));
  const { hash, sizeBytes } = encoded.action.digest;
  const request = codec(level).encode(`${V2}.GetActionResultRequest`, { actionDigest: { hash, sizeBytes } });
  try {
    return (await connection.unaryBytes(GET_ACTION_RESULT, request)).toString("hex");
  } finally {
    connection.close();
  }
}

interface Cell {
  readonly client: Level;
  readonly server: Level;
}

const nameOf = ({ client, server }: Cell): string => `${client} > ${server}`;

/** What tells runs apart: what is decided of the pair, of some features only, and how the client works. */
function runKey(
  { client }: Cell,
  { decisions, methods }: Plan,
  features: ReadonlySet<string> | null,
): string {
  const { level: _, ...manner } = mannerOf(client);
  const decided = decisions
    .filter(({ feature }) => features === null || features.has(feature))
    .map(({ feature, direction, from, to, verdict }) => [feature, direction, from, to, verdict].join(" "));
  const lanes = [...methods].map(([path, { lane }]) => `${path} ${lane}`);
  return JSON.stringify([manner, decided, features === null ? lanes : []]);
}

/** Features that some plan has at work on actions and their results. */
function aboutActions(plans: readonly Plan[]): Set<string> {
  return new Set(
    plans.flatMap(({ methods }) => OF_ACTIONS.flatMap((path) => methods.get(path)?.features ?? [])),
  );
}

const refusedBy = ({ decisions, methods }: Plan): Set<string> =>
  new Set([
    ...decisions.filter(({ verdict }) => verdict === "reject").map(({ feature }) => feature),
    ...[...methods.values()].flatMap(({ refusal }) => (refusal === null ? [] : [refusal().facts.feature])),
  ]);

interface Run {
  readonly cells: Cell[];
  readonly plan: Plan;
  readonly heavy: boolean;
}

/** Cells of which nothing tells one from another are one run. */
async function allRuns(): Promise<Run[]> {
  const cells: { cell: Cell; plan: Plan }[] = [];
  for (const server of LEVELS) {
    const { dialect } = await rigOf(server);
    for (const client of LEVELS) {
      const plan = planner.plan([profiles.client(client)], dialect);
      cells.push({ cell: { client, server }, plan });
    }
  }
  const features = aboutActions(cells.map(({ plan }) => plan));
  const heavies = new Set<string>();
  const runs = new Map<string, Run>();
  for (const { cell, plan } of cells) {
    const key = runKey(cell, plan, null);
    const heavy = runKey(cell, plan, features);
    const run = runs.get(key) ?? { cells: [], plan, heavy: !heavies.has(heavy) };
    heavies.add(heavy);
    run.cells.push(cell);
    runs.set(key, run);
  }
  return [...runs.values()];
}

test("all levels before all levels: nothing gets worse, nothing is lost silently, refusals are those of the plan", async (t) => {
  const runs = await allRuns();
  const problems: string[] = [];
  let same = 0;
  const runOne = async ({ cells, plan, heavy }: Run): Promise<void> => {
    const [cell] = cells as [Cell];
    const rig = await rigOf(cell.server);
    const bridgedAt = rig.bridged(profiles.client(cell.client));
    const salt = `${nameOf(cell)} ${process.pid}`;
    const direct = await outcomes(cell, rig.direct, heavy, `${salt} direct`);
    const bridged = await outcomes(cell, bridgedAt, heavy, `${salt} bridged`);
    const refusals = refusedBy(plan);
    for (const [what, before] of Object.entries(direct)) {
      const after = bridged[what]!;
      const say = (law: string) =>
        problems.push(`${nameOf(cell)}, ${what}: ${law}: ${text(before)} -> ${text(after)}`);
      if (before.kind === "ok" && after.kind !== "ok") say("worse than without the bridge");
      if (after.kind === "lost") say("lost silently");
      if (after.kind === "refused" && !refusals.has(after.feature)) say("a refusal that is not in the plan");
      if (refusals.size === 0 && after.kind !== "ok") say("not served although nothing is refused");
    }
    const { file } = bridged;
    if (file?.kind === "ok") {
      const at = (address: string) => cached(cell.client, address, "file", `${salt} bridged`);
      assert.equal(await at(bridgedAt), await at(rig.direct), `${nameOf(cell)}: the same bytes`);
      same++;
    }
    const kinds = Object.keys(direct).map((what) => {
      const [a, b] = [word(direct[what]!), word(bridged[what]!)];
      return { what, came: a === b ? a : `${a} -> ${b}` };
    });
    const byCame = Map.groupBy(kinds, ({ came }) => came);
    const summary = [...byCame].map(([came, all]) => `${came}: ${all.map(({ what }) => what).join(" ")}`);
    t.diagnostic(`${cells.map(nameOf).join(", ")} | ${summary.join(", ")}`);
  };
  // Clients of one server store some results under the same names: one after the other.
  await inTurns(LEVELS, 4, async (level) => {
    for (const run of runs) if (run.cells[0]?.server === level) await runOne(run);
  });
  const heavies = runs.filter(({ heavy }) => heavy).length;
  t.diagnostic(`${LEVELS.length ** 2} cells in ${runs.length} runs, ${heavies} of them with all shapes`);
  assert.deepEqual(problems, []);
  assert.ok(same > runs.length / 2);
});
