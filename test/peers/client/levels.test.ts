import assert from "node:assert/strict";
import { test } from "node:test";
import { SHAPES, type Shape, sampleOf } from "../../../src/client/samples.ts";
import { HEAVY_SHAPES, type HeavyShape } from "../../../src/client/shapes/heavy.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { embedded } from "../../support/reapi-client.ts";
import { line, play } from "./support.ts";

// The played client before a real server of some level.

// The levels between which something changes that a shape shows.
for (const level of ["2018-11", "2.0", "2.1", "2.2", "2.3", "2.12"] as const satisfies Level[]) {
  test(`a client of ${level} gets every shape right from a server of ${level}`, async (t) => {
    const { address } = await embedded(t, level);
    const client = play(t, { address, as: level });
    const wrong: string[] = [];
    const kept: string[] = [];
    for (const shape of Object.keys(SHAPES) as Shape[]) {
      const { deadly, report } = await client.build(shape);
      if (deadly !== null || report?.wrong.length !== 0) wrong.push(`${shape}: ${deadly} ${report?.wrong}`);
      if ((await client.build(shape)).report?.cached) kept.push(shape);
    }
    assert.deepEqual(wrong, []);
    const { manner } = await client.negotiate();
    const fails = (shape: Shape) => {
      const { failure, exitCode } = sampleOf(shape).expectedBy(manner);
      return failure !== null || exitCode !== 0;
    };
    assert.deepEqual(
      kept,
      (Object.keys(SHAPES) as Shape[]).filter((shape) => sampleOf(shape).cacheable && !fails(shape)),
    );
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

test("the heavy shapes come out right as well", async (t) => {
  const { address } = await embedded(t, "2.12");
  const client = play(t, { address, as: "2.12" });
  for (const shape of Object.keys(HEAVY_SHAPES) as HeavyShape[]) {
    const { deadly, report } = await client.build(shape);
    assert.deepEqual({ deadly, wrong: report?.wrong }, { deadly: null, wrong: [] }, shape);
  }
});
