import assert from "node:assert/strict";
import { test } from "node:test";
import { type ActionSpec, encodeAction } from "../../../src/client/action.ts";
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

function encoded(level: Level, change: Partial<Manner> = {}) {
  const api = codec(level);
  const { command, action, outputPaths } = encodeAction(
    SPEC,
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
