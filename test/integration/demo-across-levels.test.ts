import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { buildAcross, type Step } from "../../src/cli/demo/across-levels.ts";
import type { Shape } from "../../src/client/samples.ts";
import { createBridge } from "../../src/index.ts";
import type { Level } from "../../src/spec/versions.ts";
import { configFor } from "../support/bridge.ts";

/** Builds the shapes across two levels, through a bridge that knows both. */
function across(t: TestContext, client: Level, server: Level, shapes: readonly Shape[]): Promise<Step[]> {
  return buildAcross({
    client,
    server,
    shapes,
    searchPath: "/usr/bin:/bin",
    signal: t.signal,
    async startBridge(upstream) {
      const bridge = await createBridge({ config: configFor(upstream) });
      return { address: bridge.listening[0]!, stop: () => bridge.stop() };
    },
  });
}

test("of a client of 2.12 before a server of 2.0, what gets lost is refused by name, and the rest passes", async (t) => {
  const [file, printed, ...others] = await across(t, "2.12", "2.0", ["file", "stdout"]);
  assert.deepEqual(others, []);
  assert.equal(file?.title, "one output file");
  assert.deepEqual(file.directly, {
    verdict: "lost",
    text: "the output out.txt did not come",
    feature: null,
  });
  assert.equal(file.bridged.verdict, "refused");
  assert.equal(file.bridged.feature, "output-paths");
  assert.match(file.bridged.text, /^Command\.output_paths \(API 2\.1\) was used, .*2\.0/);
  assert.equal(file.translated, false);
  const passed = { verdict: "passed", text: "", feature: null };
  assert.deepEqual([printed?.directly, printed?.bridged, printed?.translated], [passed, passed, false]);
});

test("a client of 2018-11 before a server of 2.12 is served through the bridge as directly", async (t) => {
  const steps = await across(t, "2018-11", "2.12", ["file", "directory", "link-to-file"]);
  assert.deepEqual(
    steps.map(({ directly, bridged }) => `${directly.verdict} ${bridged.verdict}`),
    ["passed passed", "passed passed", "passed passed"],
  );
});

test("what the server itself turns down has failed, with its words", async (t) => {
  const [step] = await across(t, "2018-11", "2.12", ["program"]);
  assert.equal(step?.directly.verdict, "failed");
  assert.match(step.directly.text, /there is no program "bin\/tool" below the working directory/);
});
