import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { Status } from "../../../src/wire/status.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { commandOf, type ResultDraft, resultBytes } from "../actions.ts";
import { client, originals, plan, resultOf, server } from "../support.ts";

// Results that were stored under the client's own Action, maybe by a run without the bridge.

const both = { forms: { "node-properties": { reads: ["none"], writes: ["none"] } } };
const toPaths = plan(
  client({ ...both, level: "2.0" }),
  server({ ...both, level: "main", forms: { ...both.forms, "output-paths": { reads: ["paths"] } } }),
);
const toLists = plan(client({ ...both, level: "2.1" }), server({ ...both, level: "2.0" }));
const lists = commandOf({ arguments: ["a"], outputFiles: ["out"] });
const paths = commandOf({ arguments: ["a"], outputPaths: ["out"] });
const DIGEST = { hash: "ab".repeat(32), sizeBytes: 3n };

const received = (made: Plan, command: Buffer, result: ResultDraft, foreign: boolean) =>
  resultOf(made, resultBytes(result), originals(new MemoryUpstream(), { command, foreign }));

test("given an entry of the client's own without any output, when the action declares some, then it is a miss", async () => {
  for (const [made, command] of [
    [toPaths, lists],
    [toLists, paths],
  ] as const)
    await assert.rejects(received(made, command, { exitCode: 0 }, true), { code: Status.NOT_FOUND });
});

test("given one with outputs, or an action that declares none, then it is the client's", async () => {
  const files = { outputFiles: [{ path: "out", digest: DIGEST }] };
  assert.deepEqual(await received(toPaths, lists, files, true), resultBytes(files));
  assert.deepEqual(await received(toLists, paths, files, true), resultBytes(files));
  const silent = commandOf({ arguments: ["a"] });
  for (const made of [toPaths, toLists])
    assert.deepEqual(await received(made, silent, { exitCode: 0 }, true), resultBytes({ exitCode: 0 }));
});

test("given the result of what ran in place of the action, then it may have no output", async () => {
  for (const [made, command] of [
    [toPaths, lists],
    [toLists, paths],
  ] as const)
    assert.deepEqual(await received(made, command, { exitCode: 0 }, false), resultBytes({ exitCode: 0 }));
});
