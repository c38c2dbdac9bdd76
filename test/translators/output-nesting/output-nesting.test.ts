import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import {
  type Command,
  captured,
  cut,
  encodeCommand,
  encodeResult,
  file,
  link,
  type Result,
  type Shape,
} from "../output-trees.ts";
import { client, originals, plan, resultOf, server, transformed } from "../support.ts";

const ACTION = Buffer.alloc(0);
const FORBIDDEN = { "output-nesting": { reads: ["forbidden"] }, "output-paths": { reads: ["lists"] } };
const FLAT = server({ level: "2.0", forms: FORBIDDEN });
const pair = plan(client({ level: "2.0" }), FLAT);
const oldest = plan(client({ level: "2018-11" }), FLAT);

const sent = (command: Command, made = pair) =>
  transformed(made, { action: ACTION, command: encodeCommand(command) });

const COMMAND: Command = {
  outputFiles: ["d/e/f", "d/l", "g"],
  outputDirectories: ["d", "d/e", "d/x/y", "dd"],
};
const TREE: Shape = { e: { f: "program", other: "file" }, l: "-> e" };

/** The result as the client gets it, twice over the same. */
async function received(
  result: Result,
  { command = COMMAND, tree = TREE, made = pair } = {},
): Promise<Buffer> {
  const port = new MemoryUpstream();
  const outputDirectories = [captured(port, "d", tree), ...(result.outputDirectories ?? [])];
  const of = originals(port, { command: encodeCommand(command) });
  const once = await resultOf(made, encodeResult({ ...result, outputDirectories }), of);
  assert.equal(await resultOf(made, once, of), once);
  return once;
}

test("given outputs within output directories, when the server takes none, then it gets the outer ones, and what leads to the inner ones is made", () => {
  const { command, directories } = sent({ ...COMMAND, workingDirectory: "w" });
  assert.deepEqual(
    command,
    encodeCommand({ outputFiles: ["g"], outputDirectories: ["d", "dd"], workingDirectory: "w" }),
  );
  assert.deepEqual(directories, ["w/d/e", "w/d", "w/d/x"]);
});

test("given the working directory itself as an output, then everything lies in it", () => {
  const { command } = sent({ outputFiles: ["a"], outputDirectories: ["", "b/c"] });
  assert.deepEqual(command, encodeCommand({ outputDirectories: [""] }));
});

test("given outputs that do not nest, or a server that takes them nested, then it is the same buffer", () => {
  const flat = encodeCommand({ outputFiles: ["d/f"], outputDirectories: ["dd", "e"] });
  assert.equal(transformed(pair, { action: ACTION, command: flat }).command, flat);
  const nested = encodeCommand(COMMAND);
  const any = plan(client({ level: "2.0" }), server({ level: "2.0" }));
  assert.equal(transformed(any, { action: ACTION, command: nested }).command, nested);
});

test("given output_paths and a server that reads them, then nesting in the other lists is nothing to it", () => {
  const reads = { ...FORBIDDEN, "output-paths": { reads: ["paths", "lists"] } };
  const all = { ...COMMAND, outputPaths: ["x"] };
  const command = encodeCommand(all);
  const made = (forms: typeof reads) => plan(client(), server({ level: "2.0", forms }));
  assert.equal(transformed(made(reads), { action: ACTION, command }).command, command);
  assert.deepEqual(
    transformed(made(FORBIDDEN), { action: ACTION, command }).command,
    encodeCommand({ ...all, outputFiles: ["g"], outputDirectories: ["d", "dd"] }),
  );
});

test("given the result, then the inner outputs are cut out of the outer directory, which stays as it is", async () => {
  const { treeDigest } = captured(new MemoryUpstream(), "d", TREE);
  assert.deepEqual(
    await received({ outputFiles: [file("g")] }),
    encodeResult({
      outputFiles: [file("d/e/f", true), file("g")],
      outputDirectories: [{ path: "d", treeDigest }, cut("d/e", { f: "program", other: "file" })],
      outputFileSymlinks: [link("d/l", "e")],
    }),
  );
});

test("given inner outputs that are there already, then they stay as they are", async () => {
  const result = { outputFiles: [file("d/e/f"), file("d/l"), file("g")] };
  const own = { path: "d/e", treeDigest: captured(new MemoryUpstream(), "d/e", {}).treeDigest };
  const { treeDigest } = captured(new MemoryUpstream(), "d", TREE);
  assert.deepEqual(
    await received({ ...result, outputDirectories: [own] }),
    encodeResult({ ...result, outputDirectories: [{ path: "d", treeDigest }, own] }),
  );
});

test("given an inner output of another type than declared, then the rule of the client's revision holds", async () => {
  const command = { outputFiles: ["d/e"], outputDirectories: ["d"] };
  const { treeDigest } = captured(new MemoryUpstream(), "d", TREE);
  const only = encodeResult({ outputDirectories: [{ path: "d", treeDigest }] });
  assert.deepEqual(await received({}, { command, made: oldest }), only);
  await assert.rejects(received({}, { command }), /A directory as the output "d\/e" of output_files/);
});

test("given an outer directory that is not in the result, or an unknown Command, then it is the same buffer", async () => {
  const port = new MemoryUpstream();
  const bytes = encodeResult({ outputDirectorySymlinks: [link("d", "elsewhere")], exitCode: 1 });
  for (const command of [null, encodeCommand(COMMAND)])
    assert.equal(await resultOf(pair, bytes, originals(port, { command })), bytes);
});

test("given an outer directory that is too large to be read, then that is an error by name", async () => {
  const large = { path: "d", treeDigest: { hash: "cd".repeat(32), sizeBytes: 1n << 30n } };
  const of = originals(new MemoryUpstream(), { command: encodeCommand(COMMAND) });
  await assert.rejects(resultOf(pair, encodeResult({ outputDirectories: [large] }), of), {
    name: "BridgeError",
    message:
      /^An output within the output directory "d" with a Tree of 1073741824 bytes, more than 67108864 \(API 2018-11\) was used/,
  });
});

test("given a client that declares output_paths only, then nothing nests, and what is captured needs no file in it", async () => {
  const made = plan(client({ forms: { "output-paths": { writes: ["paths"] } } }), FLAT);
  const own = made.decisions.filter(
    ({ feature, verdict }) => feature === "output-nesting" && verdict !== "native",
  );
  assert.deepEqual(own, []);
  const command = encodeCommand({ outputPaths: ["o/p/x", "o/y"] });
  const { command: upstreams, directories } = transformed(made, { action: ACTION, command });
  assert.deepEqual(upstreams, encodeCommand({ outputDirectories: ["o"] }));
  assert.deepEqual(directories, ["o"]);
  const port = new MemoryUpstream();
  const bytes = encodeResult({ outputDirectories: [captured(port, "o", { p: { x: "file" } })] });
  assert.deepEqual(
    await resultOf(made, bytes, originals(port, { command })),
    encodeResult({ outputFiles: [file("o/p/x")] }),
  );
});
