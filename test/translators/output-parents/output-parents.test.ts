import assert from "node:assert/strict";
import { test } from "node:test";
import { messages } from "../actions.ts";
import { client, plan, server, transformed } from "../support.ts";

const base = { "output-base": { reads: ["input-root"] } };
const left = { "output-parents": { reads: ["left"] } };
const oldServer = plan(client(), server({ forms: left }));

const directories = (command: Parameters<typeof messages>[1], pair = oldServer) =>
  transformed(pair, messages({}, command)).directories;

test("given a server that makes no directories, then those that lead to outputs have to be in the input root", () => {
  const command = { outputFiles: ["a/b/f", "a/g", "h"], outputDirectories: ["a/b/d", "e/d"] };
  assert.deepEqual(directories(command), ["a", "a/b", "e"]);
  assert.deepEqual(directories({ outputPaths: ["x/y", "x/z"] }), ["x"]);
});

test("an output directory itself is the command's to make", () => {
  assert.deepEqual(directories({ outputDirectories: ["d", ""] }), []);
});

test("paths start at the working directory, or where such a server has them start", () => {
  const command = { workingDirectory: "w/x", outputFiles: ["a/f", "../g", "../../h/i"] };
  assert.deepEqual(directories(command), ["h", "w", "w/x/a"]);
  const fromRoot = plan(client(), server({ forms: { ...left, ...base } }));
  // By then they are rewritten to start at the input root.
  assert.deepEqual(directories(command, fromRoot), ["h", "w", "w/x/a"]);
});

test("paths that lead out of the input root are the server's to refuse", () => {
  assert.deepEqual(directories({ outputFiles: ["../a/f", "/b/f", "c/../../d/f", "./e/./f"] }), ["e"]);
});

test("the messages are the very buffers, and without outputs there is nothing", () => {
  const given = messages({}, { outputFiles: ["a/b"] });
  const { action, command } = transformed(oldServer, given);
  assert.deepEqual([action === given.action, command === given.command], [true, true]);
  assert.deepEqual(directories({ arguments: ["a/b"] }), []);
});

test("given a server since 2.0, then nothing is made, whatever the client counts on", () => {
  for (const level of ["2018-11", "2.0", "2.12"] as const) {
    const pair = plan(client({ level }), server({ level: "2.0" }));
    assert.deepEqual(directories({ outputFiles: ["a/b"] }, pair), []);
  }
});
