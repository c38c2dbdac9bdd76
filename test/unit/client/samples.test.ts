import assert from "node:assert/strict";
import { test } from "node:test";
import { mannerOf } from "../../../src/client/manner.ts";
import { SHAPES, type Shape, sampleOf } from "../../../src/client/samples.ts";
import { HEAVY_SHAPES, type HeavyShape } from "../../../src/client/shapes/heavy.ts";
import { LEVELS } from "../../../src/spec/versions.ts";
import { Status } from "../../../src/wire/status.ts";

const NAMES = Object.keys(SHAPES) as Shape[];

test("what comes was declared, whoever builds it", () => {
  assert.ok(NAMES.length >= 27);
  for (const name of NAMES) {
    const sample = sampleOf(name);
    const declared = sample.spec.outputs.map(({ path }) => path);
    assert.equal(new Set(declared).size, declared.length, name);
    for (const level of LEVELS) {
      for (const outputs of ["lists", "paths", "all"] as const) {
        const { outputs: come, failure } = sample.expectedBy({ ...mannerOf(level), outputs });
        for (const path of Object.keys(come)) assert.ok(declared.includes(path), `${name}: ${path}`);
        if (failure !== null) assert.deepEqual(come, {}, name);
      }
    }
  }
});

test("a sample is another one with another salt, and runs for the platform it is given unless it is about platforms", () => {
  const at = (shape: Shape, salt: string) =>
    sampleOf(shape, { salt, platform: { pool: "x" }, searchPath: "/bin" }).spec;
  assert.deepEqual(at("file", "a").environment, { PATH: "/bin", SALT: "a" });
  assert.deepEqual(sampleOf("file").spec.environment, { PATH: "/usr/bin:/bin" });
  assert.deepEqual(at("file", "").platform, { pool: "x" });
  assert.equal(at("no-platform", "").platform, undefined);
  assert.notDeepEqual(at("platform", "").platform, { pool: "x" });
  assert.deepEqual(Object.keys(at("platform-in-action", "").platforms!), ["action"]);
});

test("what is expected goes by the level of the client, and by how it declares outputs", () => {
  const expected = (shape: Shape, level: Parameters<typeof mannerOf>[0], outputs: "lists" | "paths") => {
    const { failure, outputs: come } = sampleOf(shape).expectedBy({ ...mannerOf(level), outputs });
    return failure ?? Object.keys(come);
  };
  assert.deepEqual(expected("directory-for-file", "2018-11", "lists"), []);
  assert.deepEqual(expected("directory-for-file", "2.0", "lists"), Status.FAILED_PRECONDITION);
  assert.deepEqual(expected("directory-for-file", "2.1", "paths"), ["out"]);
  assert.deepEqual(expected("unmade-parents", "2018-11", "lists"), []);
  assert.deepEqual(expected("unmade-parents", "2.0", "lists"), ["a/b/out.txt"]);
});

test("heavy samples are the same every time", () => {
  for (const name of Object.keys(HEAVY_SHAPES) as HeavyShape[]) {
    const plain = (sample: ReturnType<typeof sampleOf>) =>
      JSON.stringify({ ...sample, expected: sample.expectedBy(mannerOf("2.12")) });
    assert.equal(plain(sampleOf(name)), plain(sampleOf(name)));
  }
  assert.equal(sampleOf("thousand-outputs").spec.outputs.length, 1000);
  assert.equal(Object.keys(sampleOf("large-tree").inputs).length, 20_000);
});
