import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { EXECUTE, WAIT_EXECUTION } from "../../../src/translators/methods.ts";
import { collect } from "../../support/collect.ts";
import { call, client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
const OPERATION = "google.longrunning.Operation";
const old = client({ level: "2.2" });

function operation(stage: number, type = "ExecuteOperationMetadata"): Buffer {
  const value = codec().encode(`${V2}.ExecuteOperationMetadata`, { stage, stdoutStreamName: "s" });
  return codec().encode(OPERATION, {
    name: "o",
    metadata: { typeUrl: `type.googleapis.com/${V2}.${type}`, value },
  });
}

function stageOf(message: Buffer): number {
  return codec().decode(`${V2}.ExecuteOperationMetadata`, codec().decode(OPERATION, message).metadata!.value)
    .stage;
}

/** What a client gets of a stream of operations. */
async function received(stages: readonly Buffer[], path = EXECUTE): Promise<Buffer[]> {
  const made = plan(old, server(), { "execution-stages": "require" });
  const hook = made.methods.get(path)!.streams[0]!.response!;
  const stream = (async function* () {
    yield* stages;
  })();
  return (await collect(hook(stream, call(path), made.pair))).map((slices) => Buffer.concat(slices));
}

test("given a newer server, when stages go back, then an older client sees the furthest, if that is wanted", async () => {
  for (const path of [EXECUTE, WAIT_EXECUTION]) {
    const seen = await received(
      [1, 2, 3, 2, 3, 4].map((stage) => operation(stage)),
      path,
    );
    assert.deepEqual(seen.map(stageOf), [1, 2, 3, 3, 3, 4]);
  }
});

test("operations of other kinds pass", async () => {
  const other = [operation(3), operation(1, "Other"), codec().encode(OPERATION, { name: "o" })];
  assert.deepEqual(await received(other), other);
});

test("by default stages pass, and so they do between peers of a kind", () => {
  assert.equal(plan(old, server()).methods.get(EXECUTE)?.streams.length ?? 0, 0);
  assert.equal(plan(client(), server(), { "execution-stages": "require" }).methods.get(EXECUTE), undefined);
  const older = plan(client(), server({ level: "2.2" }), { "execution-stages": "require" });
  assert.equal(older.methods.get(EXECUTE)?.streams.length ?? 0, 0);
});
