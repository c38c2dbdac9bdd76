import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeAction } from "../../../src/client/action.ts";
import type { ActionSpec } from "../../../src/client/action-spec.ts";
import { blobOf } from "../../../src/client/blob.ts";
import { type Manner, mannerOf } from "../../../src/client/manner.ts";
import { codec } from "../../../src/spec/codec.ts";
import type { Level } from "../../../src/spec/versions.ts";

const V2 = "build.bazel.remote.execution.v2";

const SPEC: ActionSpec = {
  program: { input: "bin/tool" },
  arguments: ["-x"],
  environment: { B: "2", A: "1" },
  outputs: [
    { path: "work/b.txt", kind: "file" },
    { path: "log/a", kind: "file" },
    { path: "work/dir", kind: "directory" },
  ],
  platform: { OSFamily: "linux", ISA: "x86-64" },
  workingDirectory: "work",
  timeoutSeconds: 10,
};

function encoded(level: Level, change: Partial<Manner> = {}, spec: ActionSpec = SPEC) {
  const api = codec(level);
  const { command, action, outputPaths } = encodeAction(
    spec,
    blobOf("").digest,
    { ...mannerOf(level), ...change },
    api,
  );
  return {
    command: api.decode(`${V2}.Command`, command.bytes),
    action: api.decode(`${V2}.Action`, action.bytes),
    names: [...outputPaths.values()],
  };
}

test("a command of 2018-11: typed lists, platform in the command, programs from the input root", () => {
  const { command, action, names } = encoded("2018-11");
  assert.deepEqual(command.arguments, ["bin/tool", "-x"]);
  assert.deepEqual(command.outputFiles, ["../log/a", "b.txt"]);
  assert.deepEqual(command.outputDirectories, ["dir"]);
  assert.deepEqual(
    command.environmentVariables.map(({ name }) => name),
    ["A", "B"],
  );
  assert.deepEqual(
    command.platform?.properties.map(({ name }) => name),
    ["ISA", "OSFamily"],
  );
  assert.equal(action.platform, null);
  assert.deepEqual(names, ["b.txt", "../log/a", "dir"]);
});

test("a command of 2.12: one list, the platform in both, programs from the working directory", () => {
  const { command, action } = encoded("2.12");
  assert.deepEqual(command.arguments, ["./../bin/tool", "-x"]);
  assert.deepEqual(command.outputPaths, ["../log/a", "b.txt", "dir"]);
  assert.deepEqual([command.outputFiles, command.outputDirectories], [[], []]);
  assert.deepEqual(action.platform, command.platform);
});

test("forms that a client chooses", () => {
  const all = encoded("2.12", { outputs: "all", platform: "action", directoryFormat: "directory" });
  assert.deepEqual(all.command.outputPaths, ["../log/a", "b.txt", "dir"]);
  assert.deepEqual(all.command.outputFiles, ["../log/a", "b.txt"]);
  assert.equal(all.command.platform, null);
  assert.equal(all.command.outputDirectoryFormat, 1);
  const fromRoot = encoded("2.12", { outputsFrom: "input-root" });
  assert.deepEqual(fromRoot.command.outputPaths, ["log/a", "work/b.txt", "work/dir"]);
});

test("what an action may say besides: salt, not to be cached, times to the millisecond, its own platform for each message", () => {
  const spec: ActionSpec = {
    ...SPEC,
    doNotCache: true,
    salt: "grains",
    timeoutSeconds: 1.25,
    platforms: { command: { OSFamily: "plan9" }, action: { ISA: "x86-64" } },
  };
  const { command, action } = encoded("2.12", { platform: "command" }, spec);
  assert.equal(action.doNotCache, true);
  assert.equal(Buffer.from(action.salt).toString(), "grains");
  assert.deepEqual({ ...action.timeout }, { seconds: 1n, nanos: 250_000_000 });
  assert.deepEqual(command.platform?.properties[0]?.value, "plan9");
  assert.deepEqual(action.platform?.properties[0]?.value, "x86-64");
  const old = encoded("2.0", {}, spec);
  assert.deepEqual([old.action.salt.length, old.action.platform, old.action.doNotCache], [0, null, true]);
});

test("properties of outputs are asked for where the form has its list, under the names it has there", () => {
  const asks = (level: Level, change: Partial<Manner> = {}) => {
    const { command, action } = encoded(level, change, { ...SPEC, outputProperties: ["unix_mode", "mtime"] });
    return [action.outputNodeProperties, command.outputNodeProperties];
  };
  assert.deepEqual(asks("2018-11"), [[], []]);
  assert.deepEqual(asks("2.1"), [["MTime", "UnixMode"], []]);
  assert.deepEqual(asks("2.2"), [[], ["mtime", "unix_mode"]]);
  assert.deepEqual(asks("2.2", { nodeProperties: { form: "none", names: ["mtime"] } }), [[], []]);
  assert.deepEqual(asks("2.2", { nodeProperties: { form: "message", names: ["x", "mtime"] } })[1], [
    "mtime",
    "unix_mode",
    "x",
  ]);
});

test("lists that are to be as given keep their order and their doubles", () => {
  const outputs = ["b", "a", "b"].map((path) => ({ path, kind: "file" }) as const);
  const { command } = encoded("2.12", { outputs: "all" }, { ...SPEC, outputs, asGiven: true });
  assert.deepEqual(command.outputPaths, ["../b", "../a", "../b"]);
  assert.deepEqual(command.outputFiles, ["../b", "../a", "../b"]);
  assert.deepEqual(
    command.environmentVariables.map(({ name }) => name),
    ["B", "A"],
  );
});

test("the working directory itself is the empty path, unless paths start at the input root", () => {
  const spec: ActionSpec = { ...SPEC, outputs: [{ path: "work", kind: "directory" }] };
  assert.deepEqual(encoded("2.0", {}, spec).command.outputDirectories, [""]);
  assert.deepEqual(encoded("2.0", { outputsFrom: "input-root" }, spec).names, ["work"]);
});
