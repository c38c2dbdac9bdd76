import assert from "node:assert/strict";
import { test } from "node:test";
import { announce } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { client, plan, server } from "../support.ts";

const NAME = "build.bazel.remote.execution.v2.ServerCapabilities";

/** The names that a client of one level is told of a server of another. */
function told(from: "2.0" | "2.2", to: "2.0" | "2.2"): string[] {
  const capabilities = codec().encode(NAME, {
    executionCapabilities: { digestFunction: 1, execEnabled: true, supportedNodeProperties: ["mtime"] },
  });
  const pair = plan(client({ level: from }), server({ level: to, source: "profile" }));
  const { executionCapabilities } = codec().decode(NAME, announce(pair, capabilities));
  assert.equal(executionCapabilities?.execEnabled, true);
  return executionCapabilities.supportedNodeProperties;
}

test("names of attributes are announced to clients that write them as the server reads them, and to no others", () => {
  assert.deepEqual(
    [told("2.0", "2.0"), told("2.2", "2.2"), told("2.2", "2.0"), told("2.0", "2.2")],
    [["mtime"], ["mtime"], [], []],
  );
});
