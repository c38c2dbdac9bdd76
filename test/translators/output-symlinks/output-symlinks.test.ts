import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { client, originals, plan, resultOf, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
type Result = Draft<Messages[`${typeof V2}.ActionResult`]>;

const link = (path: string, target = "elsewhere") => ({ path, target });
const HASH = "ab".repeat(32);
const DIGEST = { hash: HASH, sizeBytes: 3n };
const file = (path: string) => ({ path, digest: DIGEST, isExecutable: true });
const directory = (path: string) => ({ path, treeDigest: DIGEST });
const none = { forms: { "output-symlinks": { reads: ["none"] } } };
const encode = (result: Result): Buffer => codec().encode(`${V2}.ActionResult`, result);

/** The result as the client gets it: the very buffer where there is nothing to do. */
function received(from: Level, to: Level, result: Buffer, command: Buffer | null = null): Promise<Buffer> {
  return receivedBy(plan(client({ level: from }), server({ level: to })), result, command);
}

const receivedBy = (made: Plan, result: Buffer, command: Buffer | null = null): Promise<Buffer> =>
  resultOf(made, result, originals(new MemoryUpstream(), { command }));

test("given an older server's typed lists, when a newer client reads, then it finds all links in one list, sorted", async () => {
  const result: Result = {
    exitCode: 1,
    outputFileSymlinks: [link("c")],
    outputDirectorySymlinks: [link("a")],
  };
  assert.deepEqual(
    await received("2.1", "2.0", encode(result)),
    encode({ ...result, outputSymlinks: [link("a"), link("c")] }),
  );
});

test("given links that are in both lists already, then the result is left alone", async () => {
  const result = encode({ outputFileSymlinks: [link("a")], outputSymlinks: [link("a")] });
  assert.equal(await received("2.1", "2.0", result), result);
});

test("given a newer server's one list, when an older client reads, then it finds links among files", async () => {
  const result: Result = { outputSymlinks: [link("b")], outputFileSymlinks: [link("c")] };
  assert.deepEqual(
    await received("2.0", "2.1", encode(result)),
    encode({ ...result, outputFileSymlinks: [link("b"), link("c")] }),
  );
});

test("given a Command that declares a directory, then a link in its place is one to a directory", async () => {
  const command = codec().encode(`${V2}.Command`, { outputDirectories: ["b"], outputFiles: ["a"] });
  const result: Result = { outputSymlinks: [link("a"), link("b")] };
  assert.deepEqual(
    await received("2.0", "2.1", encode(result), command),
    encode({ ...result, outputFileSymlinks: [link("a")], outputDirectorySymlinks: [link("b")] }),
  );
});

test("given a result without links, then it is the same buffer either way", async () => {
  const result = encode({ exitCode: 3 });
  assert.equal(await received("2.0", "2.1", result), result);
  assert.equal(await received("2.1", "2.0", result), result);
});

test("a second time changes nothing, and what nobody knows survives", async () => {
  const unknown = Buffer.from("9a0603616263", "hex");
  const result = Buffer.concat([encode({ outputSymlinks: [link("b")] }), unknown]);
  const once = await received("2.0", "2.1", result);
  assert.ok(once.includes(unknown));
  assert.equal(await received("2.0", "2.1", once), once);
});

test("given a link to an output directory and a Command that does not tell, then it is one to a directory", async () => {
  const result: Result = {
    outputFiles: [file("d2")],
    outputDirectories: [directory("a/d"), directory("d")],
    outputSymlinks: [
      link("a/chain", "../to-d"),
      link("a/d2", "../d2"),
      link("circle", "circle"),
      link("outside", "/d"),
      link("to-d", "./d/"),
    ],
  };
  const expected = encode({
    ...result,
    outputFileSymlinks: [link("a/d2", "../d2"), link("circle", "circle"), link("outside", "/d")],
    outputDirectorySymlinks: [link("a/chain", "../to-d"), link("to-d", "./d/")],
  });
  assert.deepEqual(await received("2.0", "2.1", encode(result)), expected);
  const command = codec().encode(`${V2}.Command`, { outputPaths: ["a/chain", "to-d"] });
  assert.deepEqual(await received("2.0", "2.1", encode(result), command), expected);
});

test("given a Command that declares a file, then a link in its place is one to a file wherever it leads", async () => {
  const command = codec().encode(`${V2}.Command`, { outputFiles: ["to-d"] });
  const result: Result = { outputDirectories: [directory("d")], outputSymlinks: [link("to-d", "d")] };
  assert.deepEqual(
    await received("2.0", "2.1", encode(result), command),
    encode({ ...result, outputFileSymlinks: [link("to-d", "d")] }),
  );
});

test("given a link inside of an output directory, then it is not listed apart from it", async () => {
  const typed: Result = {
    outputDirectories: [directory("d")],
    outputFileSymlinks: [link("d/in"), link("dd/out")],
  };
  assert.deepEqual(
    await received("2.1", "2.0", encode(typed)),
    encode({ ...typed, outputSymlinks: [link("dd/out")] }),
  );
  const unified = encode({ outputDirectories: [directory("")], outputSymlinks: [link("in")] });
  assert.equal(await received("2.0", "2.1", unified), unified);
});

test("given a client that reads both, then a link is added to the lists it is not in", async () => {
  const both = plan(client({ forms: { "output-symlinks": { reads: ["both"] } } }), server({ level: null }));
  const result: Result = { outputFileSymlinks: [link("f")], outputSymlinks: [link("u")] };
  assert.deepEqual(
    await receivedBy(both, encode(result)),
    encode({ outputFileSymlinks: [link("f"), link("u")], outputSymlinks: [link("f"), link("u")] }),
  );
});

test("given a client from before the lists, then it gets the outputs that links lead to, under the paths it asked for", async () => {
  const command = codec().encode(`${V2}.Command`, {
    outputFiles: ["f", "to-f", "to-nothing"],
    outputDirectories: ["d", "to-d"],
  });
  const result: Result = {
    outputFiles: [file("f")],
    outputDirectories: [directory("d")],
    outputFileSymlinks: [link("to-f", "f"), link("to-nothing", "gone")],
    outputDirectorySymlinks: [link("to-d", "d")],
  };
  for (const level of ["2.0", "2.1"] as const) {
    const pair = plan(client({ level: "2018-11", ...none }), server({ level }));
    const once = await receivedBy(pair, encode(result), command);
    assert.deepEqual(
      once,
      encode({
        ...result,
        outputFiles: [file("f"), file("to-f")],
        outputDirectories: [directory("d"), directory("to-d")],
      }),
    );
    assert.equal(await receivedBy(pair, once, command), once);
  }
});

test("given a client that asked for directories only, then no file is added", async () => {
  const command = codec().encode(`${V2}.Command`, { outputDirectories: ["to-f"] });
  const result = encode({ outputFiles: [file("f")], outputSymlinks: [link("to-f", "f")] });
  assert.equal(await receivedBy(plan(client(none), server()), result, command), result);
});

test("given a client that dies on files it did not ask for, then output_paths are no reason to add one", async () => {
  const command = codec().encode(`${V2}.Command`, { outputPaths: ["to-f"] });
  const result: Result = { outputFiles: [file("f")], outputSymlinks: [link("to-f", "f")] };
  const facts = { results: { unaskedFiles: "fatal", evidence: "the test" } } as const;
  const strict = plan(client({ ...none, facts }), server());
  const bytes = encode(result);
  assert.equal(await receivedBy(strict, bytes, command), bytes);
  assert.deepEqual(
    await receivedBy(plan(client(none), server()), bytes, command),
    encode({ ...result, outputFiles: [file("f"), file("to-f")] }),
  );
});

test("given an unknown Command, then nothing is added for a client that reads no list", async () => {
  const result = encode({ outputFiles: [file("f")], outputSymlinks: [link("to-f", "f")] });
  assert.equal(await receivedBy(plan(client(none), server()), result), result);
});
