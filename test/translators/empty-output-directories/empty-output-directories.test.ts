import assert from "node:assert/strict";
import { test } from "node:test";
import { DIGEST_FUNCTIONS } from "../../../src/wire/digest-function.ts";
import { digestOf } from "../../../src/wire/hasher.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import {
  captured,
  encodeCommand,
  encodeResult,
  file,
  inMessage,
  link,
  type Result,
} from "../output-trees.ts";
import { client, originals, plan, resultOf, server } from "../support.ts";

const facts = { results: { missingOutputs: "fatal", evidence: "the test" } } as const;
const REQUIRED = { "empty-output-directories": "require" } as const;
const STRICT = client({ level: "2.2", facts });
const pair = plan(STRICT, server({ level: "2.0" }), REQUIRED);

/** A Tree with a root of no bytes. */
const TREE = Buffer.from("0a00", "hex");
const EMPTY = { treeDigest: inMessage(digestOf(TREE, DIGEST_FUNCTIONS[0]!)), isTopologicallySorted: true };

const COMMAND = encodeCommand({ outputFiles: ["f"], outputDirectories: ["b", "d", "a/c"] });

async function received(result: Result, command: Buffer | null = COMMAND, made = pair) {
  const port = new MemoryUpstream();
  const bytes = encodeResult(result);
  const of = originals(port, { command });
  const once = await resultOf(made, bytes, of);
  assert.equal(await resultOf(made, once, of), once);
  return { bytes, once, stored: [...port.blobs.values()] };
}

test("given declared directories that a result lacks, when the action went well, then they are empty ones, stored and sorted by path", async () => {
  const own = captured(new MemoryUpstream(), "b", { x: "file" });
  const { once, stored } = await received({ outputFiles: [file("f")], outputDirectories: [own] });
  assert.deepEqual(
    once,
    encodeResult({
      outputFiles: [file("f")],
      outputDirectories: [{ path: "a/c", ...EMPTY }, own, { path: "d", ...EMPTY }],
    }),
  );
  assert.deepEqual(stored, [TREE]);
});

test("given an action that failed, or a path with anything in its place, then nothing is added", async () => {
  const failed = await received({ exitCode: 1 });
  assert.equal(failed.once, failed.bytes);
  const there = await received({
    outputFiles: [file("a/c")],
    outputSymlinks: [link("b", "x"), link("d", "x")],
  });
  assert.equal(there.once, there.bytes);
});

test("given output_paths, which may be meant to be files, or an unknown Command, then nothing is added", async () => {
  for (const command of [
    encodeCommand({ outputPaths: ["d"] }),
    encodeCommand({ outputFiles: ["f"] }),
    null,
  ]) {
    const { once, bytes } = await received({}, command);
    assert.equal(once, bytes);
  }
});

test("given a client that does without, one that nobody knows, or no policy, then nothing is added", async () => {
  const server20 = server({ level: "2.0" });
  const lenient = { results: { missingOutputs: "ignored", evidence: "the test" } } as const;
  for (const made of [
    plan(client({ level: "2.2", facts: lenient }), server20, REQUIRED),
    plan(client({ level: null }), server20, REQUIRED),
    plan(STRICT, server20),
    plan(STRICT, server20, { "empty-output-directories": "off" }),
  ]) {
    const { once, bytes } = await received({}, COMMAND, made);
    assert.equal(once, bytes);
  }
});

test("given broken bytes, then the result is broken", async () => {
  const of = originals(new MemoryUpstream(), { command: COMMAND });
  await assert.rejects(resultOf(pair, Buffer.from("1a05ff", "hex"), of), { name: "WireError" });
});
