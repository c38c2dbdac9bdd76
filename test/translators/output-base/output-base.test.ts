import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Plan } from "../../../src/plan/plan.ts";
import { EXECUTE } from "../../../src/translators/methods.ts";
import { clientBefore, serverDialect } from "../../support/known-peers.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import {
  commandOf,
  foundBy,
  messages,
  type ResultDraft,
  readCommand,
  refused,
  resultBytes,
} from "../actions.ts";
import { client, originals, plan, resultOf, server, steps, transformed } from "../support.ts";

const forms = (form: string) => ({ forms: { "output-base": { reads: [form], writes: [form] } } });
const rootServer = plan(client(), server(forms("input-root")));
const rootClient = plan(client(forms("input-root")), server());
const drafted = { forms: { "output-base": { writes: ["drafted"] } } };
const draftClient = plan(client(drafted), server());
const draftAtRoot = plan(client(drafted), server(forms("input-root")));

const DIGEST = { hash: "ab".repeat(32), sizeBytes: 3n };
const file = (path: string) => ({ path, digest: DIGEST });
const directory = (path: string) => ({ path, treeDigest: DIGEST });
const link = (path: string) => ({ path, target: "../elsewhere" });

/** The lists of outputs as the upstream gets them: files, directories, paths. */
function lists(pair: Plan, command: Parameters<typeof messages>[1]) {
  const upstream = readCommand(transformed(pair, messages({}, command)).command);
  return [upstream.outputFiles, upstream.outputDirectories, upstream.outputPaths];
}

const received = (
  pair: Plan,
  result: ResultDraft,
  command: Buffer | null,
  foreign = false,
): Promise<Buffer> =>
  resultOf(pair, resultBytes(result), originals(new MemoryUpstream(), { command, foreign }));

const COMMAND = {
  workingDirectory: "w",
  outputFiles: ["../x/f", "a/f"],
  outputDirectories: ["", "d"],
  outputPaths: ["../p", "b"],
};
/** The same for whoever takes paths from the input root on. */
const FROM_ROOT = {
  workingDirectory: "w",
  outputFiles: ["w/a/f", "x/f"],
  outputDirectories: ["w", "w/d"],
  outputPaths: ["p", "w/b"],
};

test("given a server that takes paths from the input root on, then they are joined, sorted again", () => {
  assert.deepEqual(lists(rootServer, COMMAND), [
    FROM_ROOT.outputFiles,
    FROM_ROOT.outputDirectories,
    FROM_ROOT.outputPaths,
  ]);
});

test("given a client that does, then they are taken apart", () => {
  assert.deepEqual(lists(rootClient, FROM_ROOT), [
    COMMAND.outputFiles,
    COMMAND.outputDirectories,
    COMMAND.outputPaths,
  ]);
});

test("paths are normalised, and those that become the same are one", () => {
  const command = { workingDirectory: "w", outputFiles: ["a", "b/../a", "./a"] };
  assert.deepEqual(lists(rootServer, command)[0], ["w/a"]);
});

test("without a working directory, or without outputs, it is the very buffer", () => {
  for (const pair of [rootServer, rootClient, draftClient, draftAtRoot]) {
    for (const command of [
      { outputFiles: ["b/../a", "c"] },
      { workingDirectory: ".", outputPaths: ["a"] },
      { workingDirectory: "w", arguments: ["a"] },
    ]) {
      const given = messages({}, command);
      assert.equal(transformed(pair, given).command, given.command);
    }
  }
});

test("an output outside of the input root is refused, with its path and its list", () => {
  for (const [command, path, field] of [
    [{ outputFiles: ["../../f"] }, "../../f", "output_files"],
    [{ outputDirectories: ["a/../../.."] }, "a/../../..", "output_directories"],
    [{ outputPaths: ["/abs"] }, "/abs", "output_paths"],
  ] as const) {
    const { facts, message } = refused(rootServer, messages({}, { workingDirectory: "w", ...command }));
    assert.deepEqual(
      [facts.code, facts.feature, facts.drift, facts.field],
      ["output-unsupported", "output-base", "D27", field],
    );
    assert.ok(message.startsWith(`The output ${JSON.stringify(path)} was used`), message);
  }
  const leaving = messages({}, { workingDirectory: "../w", outputFiles: ["a"] });
  assert.equal(refused(rootServer, leaving).facts.code, "output-unsupported");
});

const RESULT = {
  outputFiles: [file("w/a/f"), file("x/f")],
  outputDirectories: [directory("w"), directory("w/d")],
  outputSymlinks: [link("w/b")],
  outputFileSymlinks: [link("p")],
  outputDirectorySymlinks: [link("w/d")],
  exitCode: 3,
};
const RESULT_THERE = {
  outputFiles: [file("a/f"), file("../x/f")],
  outputDirectories: [directory(""), directory("d")],
  outputSymlinks: [link("b")],
  outputFileSymlinks: [link("../p")],
  outputDirectorySymlinks: [link("d")],
  exitCode: 3,
};

test("the paths of the result become those of the command again, in every list; targets of links stay", async () => {
  assert.deepEqual(await received(rootServer, RESULT, commandOf(COMMAND)), resultBytes(RESULT_THERE));
  assert.deepEqual(await received(rootClient, RESULT_THERE, commandOf(FROM_ROOT)), resultBytes(RESULT));
});

test("a result with the client's paths is left alone, whoever wrote it; a second time changes nothing", async () => {
  const command = commandOf(COMMAND);
  for (const foreign of [false, true]) {
    const own = resultBytes(RESULT_THERE);
    assert.deepEqual(await received(rootServer, RESULT_THERE, command, foreign), own);
    const once = await received(rootServer, RESULT, command, foreign);
    assert.deepEqual(once, own);
    const again = await resultOf(rootServer, once, originals(new MemoryUpstream(), { command, foreign }));
    assert.equal(again, once);
  }
});

test("paths that read either way are the client's own under a key that any client may write to", async () => {
  const command = commandOf({ workingDirectory: "w", outputFiles: ["x", "w/x"] });
  const paths = async (result: ResultDraft, foreign: boolean) =>
    received(rootServer, result, command, foreign);
  const ambiguous = { outputFiles: [file("w/x")] };
  assert.deepEqual(await paths(ambiguous, true), resultBytes(ambiguous));
  assert.deepEqual(await paths(ambiguous, false), resultBytes({ outputFiles: [file("x")] }));
  const server = { outputFiles: [file("w/w/x"), file("w/x")] };
  assert.deepEqual(await paths(server, false), resultBytes({ outputFiles: [file("w/x"), file("x")] }));
  const client = { outputFiles: [file("w/x"), file("x")] };
  assert.deepEqual(await paths(client, false), resultBytes(client));
});

test("what nobody declared is left alone, and so is all of a command that is not known", async () => {
  const result = { outputFiles: [file("w/other")] };
  assert.deepEqual(await received(rootServer, result, commandOf(COMMAND)), resultBytes(result));
  assert.deepEqual(await received(rootServer, RESULT, null), resultBytes(RESULT));
});

test("unknown fields of entries survive", async () => {
  // OutputFile {path "w/a", 99: "q"}.
  const result = hex("12 09 0a 03 77 2f 61 9a 06 01 71");
  const command = commandOf({ workingDirectory: "w", outputFiles: ["a"] });
  assert.deepEqual(
    await resultOf(rootServer, result, originals(new MemoryUpstream(), { command })),
    hex("12 07 0a 01 61 9a 06 01 71"),
  );
});

test("outputs that a request wants inlined are named as the upstream has them", () => {
  const given = messages({}, COMMAND);
  const name = (pair: Plan, path: string) =>
    steps(pair).reduce((current, { outputName }) => outputName?.(current, given) ?? current, path);
  assert.equal(name(rootServer, "a/f"), "w/a/f");
  assert.equal(name(rootServer, "../../out"), "../../out");
  assert.equal(name(rootClient, "w/a"), "a");
});

test("given a client of the draft (P20), then its field says which, and goes", () => {
  const flagged = { ...FROM_ROOT, outputDirectoryFormat: 1 };
  assert.deepEqual(transformed(draftClient, messages({}, flagged)).command, commandOf(COMMAND));
  assert.deepEqual(transformed(draftAtRoot, messages({}, flagged)).command, commandOf(FROM_ROOT));
  const plain = messages({}, COMMAND);
  assert.equal(transformed(draftClient, plain).command, plain.command);
  assert.deepEqual(transformed(draftAtRoot, plain).command, commandOf(FROM_ROOT));
  const withoutDirectory = messages({}, { outputPaths: ["a"], outputDirectoryFormat: 1 });
  assert.deepEqual(transformed(draftClient, withoutDirectory).command, commandOf({ outputPaths: ["a"] }));
});

test("its results go back by the same field", async () => {
  const flagged = commandOf({ ...FROM_ROOT, outputDirectoryFormat: 1 });
  assert.deepEqual(await received(draftClient, RESULT_THERE, flagged), resultBytes(RESULT));
  assert.deepEqual(await received(draftAtRoot, RESULT, flagged), resultBytes(RESULT));
  assert.deepEqual(await received(draftClient, RESULT_THERE, commandOf(COMMAND)), resultBytes(RESULT_THERE));
});

test("a server of the draft is not translated for: outputs in a working directory are refused", () => {
  const pair = plan(client(), server(forms("drafted")));
  assert.deepEqual(foundBy(pair, messages({}, COMMAND)), ["output-unsupported output-base"]);
  assert.deepEqual(foundBy(pair, messages({}, { outputPaths: ["a"] })), []);
});

test("Buildbarn took outputs from the input root on until February 2020 (bb-remote-execution#18)", () => {
  const at = (name: string) => {
    const barn = serverDialect(name);
    return plan(clientBefore("recc", barn), barn);
  };
  const command = { workingDirectory: "my.build", outputFiles: ["objects/a.o"] };
  assert.deepEqual(lists(at("buildbarn@2019-08"), command)[0], ["my.build/objects/a.o"]);
  assert.deepEqual(lists(at("buildbarn@2020-03"), command)[0], ["objects/a.o"]);
  assert.ok(!at("buildbarn@2020-03").methods.get(EXECUTE)?.features.includes("output-base"));
});

test("paths there and back are the same places, and a result with them too", async () => {
  const segment = fc.constantFrom("a", "b", "w", "..");
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const directory = fc.array(fc.constantFrom("a", "w"), { minLength: 1, maxLength: 2 });
  await fc.assert(
    fc.asyncProperty(fc.array(path, { maxLength: 4 }), directory, async (outputs, parts) => {
      const workingDirectory = parts.join("/");
      const given = messages({}, { workingDirectory, outputPaths: outputs });
      let there: ReturnType<typeof transformed>;
      try {
        there = transformed(rootServer, given);
      } catch (error) {
        return assert.equal((error as Error).name, "BridgeError");
      }
      const { outputPaths } = readCommand(there.command);
      const back = readCommand(transformed(rootClient, there).command).outputPaths;
      const resolve = (name: string) =>
        new URL(name, `file:///root/${workingDirectory}/`).pathname.replace(/\/$/, "");
      assert.deepEqual(new Set(back.map(resolve)), new Set(outputs.map(resolve)));
      const result = await received(rootServer, { outputFiles: outputPaths.map(file) }, given.command);
      const again = await resultOf(
        rootServer,
        result,
        originals(new MemoryUpstream(), { command: given.command, foreign: true }),
      );
      assert.equal(again, result);
    }),
    { numRuns: 200 },
  );
});
