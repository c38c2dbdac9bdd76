import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { EXECUTE } from "../../../src/translators/methods.ts";
import { clientLine } from "../../support/known-peers.ts";
import { encodeCommand } from "../output-trees.ts";
import { client, plan, server, transformed } from "../support.ts";

const ACTION = Buffer.alloc(0);
const writes = (...forms: string[]) => client({ forms: { "output-paths": { writes: forms } } });
const reads = (...forms: string[]) => server({ forms: { "output-paths": { reads: forms } } });
const sent = (made: Plan, command: Buffer): Buffer => transformed(made, { action: ACTION, command }).command;

const command = encodeCommand({ outputFiles: ["f"], outputDirectories: ["d"], outputPaths: ["d", "f"] });

test("given all lists in one command, when the server reads its own of them, then they stay as they are", () => {
  for (const form of ["lists", "paths"])
    assert.equal(sent(plan(writes("lists", "paths"), reads(form)), command), command);
});

test("given a client that always fills all lists, as Bazel 6.3 to 7, then its executions are not even looked into", () => {
  const { features } = clientLine("bazel@7");
  assert.deepEqual(features["output-paths"]?.writes, ["lists", "paths"]);
  const always = { ...writes("lists", "paths") };
  const bazel = {
    ...always,
    features: {
      ...always.features,
      "output-paths": { ...always.features["output-paths"]!, together: true as const },
    },
  };
  for (const form of ["lists", "paths"])
    assert.equal(plan(bazel, reads(form)).methods.get(EXECUTE), undefined);
});

test("given a server that returns what is in each list, as Buildbarn did in 2020, then it gets one kind of them", () => {
  for (const forms of [["lists", "paths"], ["paths", "lists"], ["lists"], ["paths"]]) {
    const made = plan(writes(...forms), reads("each"));
    assert.deepEqual(sent(made, command), encodeCommand({ outputPaths: ["d", "f"] }));
    for (const one of [{ outputFiles: ["f"] }, { outputPaths: ["f"] }, { arguments: ["x"] }]) {
      const bytes = encodeCommand(one);
      assert.equal(sent(made, bytes), bytes);
    }
  }
});
