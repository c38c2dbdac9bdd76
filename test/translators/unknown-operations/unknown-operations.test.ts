import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { WAIT_EXECUTION } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { call, client, plan, server } from "../support.ts";

const odd = server({ facts: { unknownOperations: { endIn: "INVALID_ARGUMENT", evidence: "the test" } } });
const request = codec().encode("build.bazel.remote.execution.v2.WaitExecutionRequest", {
  name: "operations/1",
});

/** What WaitExecution of an unknown operation ends in, if the server ends it so. */
async function ending(made: ReturnType<typeof plan>, code: number): Promise<number> {
  const { engine } = made.methods.get(WAIT_EXECUTION)!;
  const forward = async function* (): AsyncGenerator<Buffer> {
    yield await Promise.reject<Buffer>(new UpstreamError(code, "unknown operation"));
  };
  try {
    await collect(engine!(request, call(WAIT_EXECUTION), forward));
  } catch (error) {
    return (error as UpstreamError).code;
  }
  return Status.OK;
}

test("given a server with a code of its own for unknown operations, then clients get NOT_FOUND", async () => {
  for (const level of ["2.0", "main"] as const) {
    const made = plan(client({ level }), odd);
    assert.equal(await ending(made, Status.INVALID_ARGUMENT), Status.NOT_FOUND);
    assert.equal(await ending(made, Status.PERMISSION_DENIED), Status.PERMISSION_DENIED);
  }
});

test("given servers of which nobody knows a code, then errors pass", () => {
  for (const [from, to] of [
    ["2.0", "main"],
    ["main", "2.0"],
    ["main", "main"],
  ] as const) {
    const method = plan(client({ level: from }), server({ level: to })).methods.get(WAIT_EXECUTION);
    assert.ok(!method?.features.includes("unknown-operations"));
  }
});

test("given a client from before 2.8, then NOT_FOUND is an execution on demand only", () => {
  const policy = { "unknown-operations": "require" } as const;
  const method = plan(client({ level: "2.4" }), server(), policy).methods.get(WAIT_EXECUTION);
  assert.ok(method?.features.includes("unknown-operations"));
});
