import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { buildAcross, type TakenStep } from "../../src/cli/demo/across-levels.ts";
import { LEVEL_PAIRS, type LevelStep } from "../../src/cli/demo/level-steps.ts";
import { isAsPredicted } from "../../src/cli/demo/prediction.ts";
import { createBridge } from "../../src/index.ts";
import type { Level } from "../../src/spec/versions.ts";
import { configFor } from "../support/bridge.ts";

/** Takes the steps across two levels, through a bridge that knows both. */
function across(
  t: TestContext,
  client: Level,
  server: Level,
  steps: readonly LevelStep[],
): Promise<TakenStep[]> {
  return buildAcross({
    client,
    server,
    steps,
    searchPath: "/usr/bin:/bin",
    signal: t.signal,
    async startBridge(upstream) {
      const bridge = await createBridge({ config: configFor(upstream) });
      return { address: bridge.listening[0]!, stop: () => bridge.stop() };
    },
  });
}

/** What became of the steps of the demo between two levels: `title: directly, through the bridge`. */
async function demoOf(t: TestContext, client: Level): Promise<{ steps: TakenStep[]; became: string[] }> {
  const pair = LEVEL_PAIRS.find((each) => each.client === client)!;
  const steps = await across(t, client, pair.server, pair.steps);
  const became = steps.map(
    ({ title, directly, bridged }) => `${title}: ${directly.verdict}, ${bridged.feature ?? bridged.verdict}`,
  );
  return { steps, became };
}

test("of a client of 2.12 before a server of 2.0, what gets lost is translated or refused by name", async (t) => {
  const { steps, became } = await demoOf(t, "2.12");
  assert.deepEqual(became, [
    "an action that only prints: passed, passed",
    "an output file, in output_paths: lost, passed",
    "the same, in output_files as well: passed, passed",
    "a symlink among the outputs: lost, passed",
    "an upload that names its hash function: failed, passed",
    "an upload that is compressed: failed, passed",
  ]);
  const [, file] = steps;
  assert.equal(file?.directly.text, "the output out.txt did not come");
  assert.deepEqual(
    steps.map(({ predicted }) => predicted.verdict),
    ["passes", "translated", "passes", "translated", "translated", "translated"],
  );
  assert(steps.every(isAsPredicted));
});

test("a client of 2018-11 before a server of 2.12 is served through the bridge as directly", async (t) => {
  const { steps, became } = await demoOf(t, "2018-11");
  assert.deepEqual(became, [
    "an action that only prints: passed, passed",
    "an output file, in output_files: passed, passed",
    "an output directory: passed, passed",
    "a symlink among the outputs: passed, passed",
    "an action that fails: passed, passed",
  ]);
  assert(steps.every(isAsPredicted));
});

test("what the server itself turns down has failed, with its words, and is not as planned", async (t) => {
  const steps = await across(t, "2018-11", "2.12", [{ title: "a program", shape: "program", uses: null }]);
  const [step] = steps as [TakenStep];
  assert.equal(step.directly.verdict, "failed");
  assert.match(step.directly.text, /there is no program "bin\/tool" below the working directory/);
  assert.deepEqual([step.bridged.verdict, step.bridged.feature], ["failed", null]);
  assert.equal(isAsPredicted(step), false);
});

test("a step that uses what the plan does not know is a mistake of the demo", async (t) => {
  const uses = { feature: "output-paths", direction: "toServer", form: "paths" } as const;
  await assert.rejects(across(t, "2018-11", "2.12", [{ title: "paths", shape: "file", uses }]), {
    name: "RangeError",
    message: "the plan has no output-paths with the form paths",
  });
});
