import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { type Command, encodeCommand } from "../output-trees.ts";
import { client, plan, server, steps, transformed } from "../support.ts";

const ACTION = Buffer.alloc(0);
const NEVER = ".reapi-bridge-never-created";

const LISTS = { "output-paths": { reads: ["lists"] } };

const pair = plan(client({ level: "2.12" }), server({ level: "2.0", forms: LISTS }));

/** The lists as the upstream gets them. */
function sent(command: Command, made: Plan = pair): Buffer {
  return transformed(made, { action: ACTION, command: encodeCommand(command) }).command;
}

function refusal(command: Command): BridgeError {
  try {
    sent(command);
  } catch (error) {
    assert.ok(error instanceof BridgeError);
    return error;
  }
  assert.fail("nothing was refused");
}

test("given output_paths, when the server reads the older lists, then the directories around them are captured", () => {
  // output_paths b/y, a/x; unknown field 99.
  const command = Buffer.from("3a03622f793a03612f7898060c", "hex");
  const { command: made } = transformed(pair, { action: ACTION, command });
  const file = (directory: string) => Buffer.from(`${directory}/${NEVER}`).toString("hex");
  assert.equal(made.toString("hex"), `1a1d${file("a")}1a1d${file("b")}22016122016298060c`);
});

test("given directories in one another, then the outer one is captured", () => {
  const lists = { outputFiles: [`a/${NEVER}`], outputDirectories: ["a"] };
  assert.deepEqual(sent({ outputPaths: ["a/b/c/x", "a/y", "a/b/z"] }), encodeCommand(lists));
});

test("given a path at the top, then the whole working directory is captured", () => {
  const lists = { outputFiles: [NEVER], outputDirectories: [""] };
  assert.deepEqual(sent({ outputPaths: ["a/b", "x"] }), encodeCommand(lists));
  assert.deepEqual(sent({ outputPaths: [""] }), encodeCommand(lists));
  assert.deepEqual(sent({ outputPaths: ["", "a/b"] }), encodeCommand(lists));
});

test("given paths out of the working directory, then what is captured is named from there, and compared from the input root", () => {
  const workingDirectory = "w/v";
  const lists = (...directories: string[]) =>
    encodeCommand({
      workingDirectory,
      outputFiles: directories.map((directory) => (directory === "" ? NEVER : `${directory}/${NEVER}`)),
      outputDirectories: directories,
    });
  assert.deepEqual(sent({ workingDirectory, outputPaths: ["../u/x"] }), lists("../u"));
  assert.deepEqual(sent({ workingDirectory, outputPaths: ["../x", "a/y"] }), lists(".."));
  assert.deepEqual(sent({ workingDirectory, outputPaths: ["../../x", "../u/y"] }), lists("../.."));
  assert.deepEqual(sent({ workingDirectory, outputPaths: ["../../w/v/a/x"] }), lists("a"));
  assert.deepEqual(sent({ workingDirectory, outputPaths: [".."] }), lists(".."));
  assert.deepEqual(sent({ workingDirectory, outputPaths: ["./a//x"] }), lists("a"));
});

test("given an output of the sentinel's name, then the sentinel has another", () => {
  const lists = { outputFiles: [`a/${NEVER}_`], outputDirectories: ["a"] };
  assert.deepEqual(sent({ outputPaths: [`a/${NEVER}`] }), encodeCommand(lists));
});

test("given the older lists, or no outputs, then it is the same buffer", () => {
  for (const command of [
    { outputFiles: ["a"] },
    { arguments: ["x"] },
    { outputFiles: ["a"], outputPaths: ["a"] },
  ]) {
    const bytes = encodeCommand(command);
    assert.equal(transformed(pair, { action: ACTION, command: bytes }).command, bytes);
  }
});

test("given a path that leads out of the input root, then the action is refused by name", () => {
  for (const command of [
    { outputPaths: ["a", "../x"] },
    { outputPaths: ["/x"] },
    { workingDirectory: "w", outputPaths: ["../../x"] },
    { workingDirectory: "..", outputPaths: ["x"] },
  ]) {
    const { facts, message } = refusal(command);
    assert.deepEqual(
      [facts.code, facts.feature, facts.drift, facts.field],
      ["output-unsupported", "output-paths", "D24", "output_paths"],
    );
    assert.match(
      message,
      /^Command\.output_paths with ".*", which leads out of the input root \(API 2\.1\) was used, but the upstream "the server" speaks 2\.0 and reads output_files and output_directories only/,
    );
    assert.match(message, /an upstream that reads output_paths, as those of API 2\.1 do/);
  }
});

test("given outputs in a thousand directories and more, then the action is refused", () => {
  const outputPaths = Array.from({ length: 1001 }, (_, index) => `${index}/x`);
  assert.match(
    refusal({ outputPaths }).message,
    /^Command\.output_paths in 1001 directories, more than 1000 /,
  );
  assert.ok(sent({ outputPaths: outputPaths.slice(1) }).length > 0);
});

test("given a server that makes output directories itself, as Buildfarm, then it needs no file for that", () => {
  const facts = { outputDirectories: { made: true, evidence: "the test" } };
  const made = plan(client(), server({ level: "2.0", forms: LISTS, facts }));
  assert.deepEqual(sent({ outputPaths: ["a/x"] }, made), encodeCommand({ outputDirectories: ["a"] }));
});

test("given a server that takes no outputs within others, then the directories are made in the input root", () => {
  const forms = { ...LISTS, "output-nesting": { reads: ["forbidden"] } };
  const made = plan(
    client({ forms: { "output-paths": { writes: ["paths"] } } }),
    server({ level: "2.0", forms }),
  );
  const command = { workingDirectory: "w", outputPaths: ["a/x", "../b/y"] };
  const { directories } = transformed(made, { action: ACTION, command: encodeCommand(command) });
  assert.deepEqual(
    sent(command, made),
    encodeCommand({ workingDirectory: "w", outputDirectories: ["../b", "a"] }),
  );
  assert.deepEqual(directories, ["w/a", "b"]);
});

const DOUBLING = server({
  level: "2.0",
  forms: LISTS,
  facts: { outputLists: { both: "accepted", evidence: "the test" } },
});

test("given a server that takes a path in both lists, then it gets each path in both", () => {
  const made = plan(client(), DOUBLING);
  assert.deepEqual(
    sent({ outputPaths: ["x", "", "a/b"] }, made),
    encodeCommand({ outputFiles: ["a/b", "x"], outputDirectories: ["", "a/b", "x"] }),
  );
});

test("given a server that is only supposed to read the older lists, then the paths stay next to them", () => {
  const expected = encodeCommand({
    outputFiles: [`a/${NEVER}`],
    outputDirectories: ["a"],
    outputPaths: ["a/x"],
  });
  for (const supposed of [server({ level: "2.0" }), server({ level: null })])
    assert.deepEqual(sent({ outputPaths: ["a/x"] }, plan(client(), supposed)), expected);
});

/** The name of an output as the upstream is asked to inline it. */
function inlined(made: Plan, path: string, command: Command): string {
  const given = { action: ACTION, command: encodeCommand(command) };
  return steps(made).reduce((name, { outputName }) => outputName?.(name, given) ?? name, path);
}

test("given a wish for an output in the result, then the upstream is asked for a file that it knows of", () => {
  const command = { outputPaths: ["a/x", "b/y"] };
  assert.equal(inlined(pair, "b/y", command), `b/${NEVER}`);
  assert.equal(inlined(pair, "other", command), "other");
  assert.equal(inlined(pair, "f", { outputFiles: ["f"] }), "f");
  assert.equal(inlined(plan(client(), DOUBLING), "a/x", command), "a/x");
});
