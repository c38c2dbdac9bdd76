import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { captured, encodeCommand, encodeResult, file, link } from "../output-trees.ts";
import { client, originals, plan, resultOf, server, transformed } from "../support.ts";

const ACTION = Buffer.alloc(0);
const PATHS = { forms: { "output-paths": { reads: ["paths"] } } };

const pair = plan(client({ level: "2.0" }), server(PATHS));
const oldest = plan(client({ level: "2018-11" }), server(PATHS));

/** The Command as the upstream gets it. */
const sent = (command: Buffer, made: Plan = pair): Buffer =>
  transformed(made, { action: ACTION, command }).command;

const received = (made: Plan, result: Buffer, command: Buffer | null, foreign = false): Promise<Buffer> =>
  resultOf(made, result, originals(new MemoryUpstream(), { command, foreign }));

test("given lists of both types, when the server reads output_paths, then it gets their union, sorted by bytes and each path once", () => {
  // output_files c, é, a; output_directories b, c; working_directory w; unknown field 99.
  const command = Buffer.from("1a01631a02c3a91a016122016222016332017798060c", "hex");
  assert.equal(sent(command).toString("hex"), "3201773a01613a01623a01633a02c3a998060c");
});

test("given a list of one type, then that is the union", () => {
  assert.deepEqual(sent(encodeCommand({ outputFiles: ["a"] })), encodeCommand({ outputPaths: ["a"] }));
  assert.deepEqual(sent(encodeCommand({ outputDirectories: ["a"] })), encodeCommand({ outputPaths: ["a"] }));
});

test("given the working directory itself as an output directory, then it is an output path like others", () => {
  // Field 7 with a text of no bytes.
  assert.equal(sent(encodeCommand({ outputDirectories: [""] })).toString("hex"), "3a00");
});

test("given no outputs, or output_paths, then it is the same buffer", () => {
  for (const command of [{ arguments: ["a"] }, { outputPaths: ["b", "a"] }]) {
    const bytes = encodeCommand(command);
    assert.equal(sent(bytes), bytes);
  }
});

test("given a path that is no text, then the Command is broken", () => {
  assert.throws(() => sent(Buffer.from("1a01ff", "hex")), { name: "WireError", code: "utf8" });
  assert.throws(() => sent(Buffer.from("1a05ff", "hex")), { name: "WireError", code: "truncated" });
});

test("given a client whose commands count on their output directories, then these are made, from the input root on", () => {
  const facts = { outputDirectories: { expected: true, evidence: "the test" } };
  const counting = plan(client({ level: "2.0", facts }), server(PATHS));
  const command = encodeCommand({
    workingDirectory: "w",
    outputFiles: ["f/x"],
    outputDirectories: ["", "../../out", "../up", "d/e"],
  });
  const { directories } = transformed(counting, { action: ACTION, command });
  assert.deepEqual(directories, ["w", "up", "w/d/e"]);
  assert.deepEqual(transformed(pair, { action: ACTION, command }).directories, []);
});

test("given results of the declared types, then they are the same buffer", async () => {
  const command = encodeCommand({ outputFiles: ["both", "f"], outputDirectories: ["both", "d"] });
  const port = new MemoryUpstream();
  const result = encodeResult({
    outputFiles: [file("f")],
    outputDirectories: [captured(port, "both", {}), captured(port, "d", {})],
    outputFileSymlinks: [link("x", "y")],
  });
  for (const made of [pair, oldest]) assert.equal(await received(made, result, command), result);
});

test("given an output of the other type and a client of 2018-11, then it is left out, as its servers did", async () => {
  const command = encodeCommand({ outputFiles: ["f", "g"], outputDirectories: ["d"] });
  const directory = captured(new MemoryUpstream(), "f", {});
  const result = encodeResult({
    outputFiles: [file("d"), file("g")],
    outputDirectories: [directory],
    exitCode: 1,
  });
  const once = await received(oldest, result, command);
  assert.deepEqual(once, encodeResult({ outputFiles: [file("g")], exitCode: 1 }));
  assert.equal(await received(oldest, once, command), once);
});

test("given an output of the other type and a later client, then that is an error, as servers of the lists make it one", async () => {
  const directory = captured(new MemoryUpstream(), "f", {});
  await assert.rejects(
    received(
      pair,
      encodeResult({ outputDirectories: [directory] }),
      encodeCommand({ outputFiles: ["f"], outputDirectories: ["d"] }),
    ),
    (error) => {
      assert.ok(error instanceof BridgeError);
      const { code, feature, drift, field, message } = { ...error.facts, message: error.message };
      assert.deepEqual(
        [code, feature, drift, field],
        ["output-unsupported", "output-types", "D26", "output_files"],
      );
      assert.match(
        message,
        /^A directory as the output "f" of output_files \(API 2018-11\) was used, but .*; have the client declare it in output_directories/,
      );
      return true;
    },
  );
  await assert.rejects(
    received(pair, encodeResult({ outputFiles: [file("d")] }), encodeCommand({ outputDirectories: ["d"] })),
    /A file as the output "d" of output_directories/,
  );
});

test("given a result that was stored under the client's own Action, or one of an unknown Command, then it stays as it is", async () => {
  const command = encodeCommand({ outputDirectories: ["f"] });
  const result = encodeResult({ outputFiles: [file("f")] });
  assert.equal(await received(pair, result, command, true), result);
  assert.equal(await received(pair, result, null), result);
});
