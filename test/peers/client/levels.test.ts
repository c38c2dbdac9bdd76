import assert from "node:assert/strict";
import { test } from "node:test";
import { SHAPES, type Shape } from "../../../src/client/samples.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { embedded } from "../../support/reapi-client.ts";
import { line, play } from "./support.ts";

// The played client before a real server of some level.

for (const level of ["2018-11", "2.0", "2.2", "2.12"] as const satisfies Level[]) {
  test(`a client of ${level} gets every shape right from a server of ${level}`, async (t) => {
    const { address } = await embedded(t, level);
    const client = play(t, { address, as: level });
    const wrong: string[] = [];
    for (const shape of Object.keys(SHAPES) as Shape[]) {
      const { deadly, report, missing } = await client.build(shape);
      if (deadly !== null || report?.wrong.length !== 0) wrong.push(`${shape}: ${deadly} ${report?.wrong}`);
      assert.deepEqual(missing, []);
      assert.equal((await client.build(shape)).report?.cached, shape !== "failure", `${shape}, again`);
    }
    assert.deepEqual(wrong, []);
    assert.deepEqual(await client.cacheRoundTrip(), {
      blob: true,
      result: true,
      deadly: null,
      failure: null,
    });
  });
}

test("outputs that only output_paths declares do not come from a server of 2.0", async (t) => {
  const { address } = await embedded(t, "2.0");
  const { missing, outputs, deadly } = await play(t, { address, as: "2.12" }).build("directory");
  assert.deepEqual({ missing, count: outputs.size, deadly }, { missing: ["out"], count: 0, deadly: null });
  const strict = await play(t, {
    address,
    as: line("bazel@8.5"),
    writes: { "output-paths": ["paths"] },
  }).build("file");
  assert.match(strict.deadly ?? "", /^bazel@8.6 misses the outputs out\.txt$/);
});

test("clients that only cache get blobs and results back, and say that they do not execute", async (t) => {
  const { address } = await embedded(t, "2.12");
  const moon = play(t, { address, as: line("moon") });
  assert.deepEqual(await moon.cacheRoundTrip(), { blob: true, result: true, deadly: null, failure: null });
  assert.equal((await moon.build("file")).deadly, "moon does not execute");
  const { address: ancient } = await embedded(t, "2018-11");
  const buildstream = play(t, { address: ancient, as: line("buildstream@1.6") });
  assert.deepEqual(await buildstream.cacheRoundTrip(), {
    blob: true,
    result: null,
    deadly: null,
    failure: null,
  });
});
