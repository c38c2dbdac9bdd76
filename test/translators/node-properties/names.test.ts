import assert from "node:assert/strict";
import { test } from "node:test";
import { announce } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { client, plan, server } from "../support.ts";

const NAME = "build.bazel.remote.execution.v2.ServerCapabilities";

type Peer = Parameters<typeof client>[0];

/** What a client is told of a server that announces these names. */
function told(from: Peer, to: Parameters<typeof server>[0], ...names: string[]): string[] {
  const capabilities = codec().encode(NAME, {
    executionCapabilities: { digestFunction: 1, execEnabled: true, supportedNodeProperties: names },
  });
  const pair = plan(client(from), server({ source: "profile", ...to }));
  const once = announce(pair, capabilities);
  assert.equal(announce(pair, once), once, "a second time changes nothing");
  const { executionCapabilities } = codec().decode(NAME, once);
  assert.equal(executionCapabilities?.execEnabled, true);
  return executionCapabilities.supportedNodeProperties;
}

const LIST = ["MTime", "UnixMode", "other"];
const MESSAGE = ["mtime", "unix_mode", "other"];

test("names of attributes are announced as the client writes them", () => {
  assert.deepEqual(told({ level: "2.0" }, { level: "2.0" }, ...LIST), LIST);
  assert.deepEqual(told({ level: "2.2" }, { level: "2.2" }, ...MESSAGE), MESSAGE);
  assert.deepEqual(told({ level: "2.2" }, { level: "2.0" }, ...LIST), MESSAGE);
  assert.deepEqual(told({ level: "2.0" }, { level: "2.2" }, ...MESSAGE), LIST);
  const between = { forms: { "node-properties": { writes: ["2020-03"] } } };
  assert.deepEqual(told(between, { level: "2.2" }, ...MESSAGE), LIST);
});

test("a client, or a server, that has no attributes is not told of any", () => {
  assert.deepEqual(told({ level: "2018-11" }, { level: "2.2" }, ...MESSAGE), []);
  assert.deepEqual(told({ level: "2.2" }, { level: "2018-11" }, ...MESSAGE), []);
});

test("names of platform properties that stand there are left alone", () => {
  const facts = { nodePropertyNames: { are: [], of: "platform", evidence: "the test" } } as const;
  assert.deepEqual(told({ level: "2.0" }, { level: "2.3", facts }, "OSFamily", "mtime"), [
    "OSFamily",
    "mtime",
  ]);
});
