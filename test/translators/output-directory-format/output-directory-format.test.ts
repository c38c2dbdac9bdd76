import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest } from "../../../src/plan/run-hooks.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { GET_ACTION_RESULT, UPDATE_ACTION_RESULT } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { formatDigest } from "../../../src/wire/digest.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { Status } from "../../../src/wire/status.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, originals, plan, resultOf, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
type Result = Draft<Messages[`${typeof V2}.ActionResult`]>;

const encode = (result: Result): Buffer => codec().encode(`${V2}.ActionResult`, result);
const decode = (result: Buffer) => codec().decode(`${V2}.ActionResult`, result);

const forms = (reads: string[], writes: string[]) => ({
  forms: { "output-directory-format": { reads, writes } },
});

/** Pairs in which the client asks for directories, cannot do without them, or reads Trees only. */
const asking = plan(
  client(forms(["directory", "both", "tree"], ["directory"])),
  server(forms(["tree"], ["tree"])),
);
const mayAsk = plan(client({ level: "2.8" }), server({ level: "2.7" }));
const needing = plan(client(forms(["directory"], ["directory"])), server(forms(["tree"], ["tree"])));
const treeReader = plan(client({ level: "2.7" }), server(forms(["directory"], ["directory"])));

const command = (outputDirectoryFormat: number) =>
  codec().encode(`${V2}.Command`, { arguments: ["x"], outputPaths: ["d"], outputDirectoryFormat });

/** A digest as messages have it. */
const named = ({ hash, sizeBytes }: { hash: string; sizeBytes: number }) => ({
  hash,
  sizeBytes: BigInt(sizeBytes),
});

/** Directories root → a → leaf and root → b → leaf, with a field of nobody's in the leaf, and their Tree in the order of a careless server. */
function stored() {
  const upstream = new MemoryUpstream();
  const elsewhere = new MemoryUpstream();
  const file = { name: "f", digest: { hash: "ab".repeat(32), sizeBytes: 3n }, isExecutable: true };
  const leaf = Buffer.concat([codec().encode(`${V2}.Directory`, { files: [file] }), hex("9a 06 01 78")]);
  const over = (names: readonly string[], below: Buffer) => {
    const digest = named(elsewhere.put(below));
    return codec().encode(`${V2}.Directory`, { directories: names.map((name) => ({ name, digest })) });
  };
  const a = over(["leaf"], leaf);
  const b = over(["leaf", "other"], leaf);
  const root = codec().encode(`${V2}.Directory`, {
    directories: [
      { name: "a", digest: named(elsewhere.put(a)) },
      { name: "b", digest: named(elsewhere.put(b)) },
    ],
  });
  const tree = new FieldWriter();
  tree.bytes(1, root);
  for (const directory of [leaf, a, b, leaf]) tree.bytes(2, directory);
  return { upstream, leaf, a, b, root, tree: tree.toBuffer(), rootDigest: elsewhere.put(root) };
}

test("given a client that asked for directories, when the server gives a Tree, then the root is named and every directory stored, byte for byte", async () => {
  const { upstream, leaf, a, b, root, tree, rootDigest } = stored();
  const result = { exitCode: 1, outputDirectories: [{ path: "d", treeDigest: named(upstream.put(tree)) }] };
  for (const format of [1, 2]) {
    const known = originals(upstream, { command: command(format) });
    for (const pair of [asking, mayAsk]) {
      const seen = await resultOf(pair, encode(result), known);
      assert.deepEqual(
        seen,
        encode({
          ...result,
          outputDirectories: [{ ...result.outputDirectories[0], rootDirectoryDigest: named(rootDigest) }],
        }),
      );
      assert.equal(await resultOf(pair, seen, known), seen);
    }
  }
  for (const directory of [leaf, a, b, root])
    assert.ok([...upstream.blobs.values()].some((one) => one.equals(directory)));
});

test("given a sorted Tree, then it says so as before, and what nobody knows survives", async () => {
  const { upstream, tree, rootDigest } = stored();
  const { hash, sizeBytes } = upstream.put(tree);
  const digest = codec().encode(`${V2}.Digest`, { hash, sizeBytes: BigInt(sizeBytes) });
  const write = (root: boolean): Buffer => {
    const directory = new FieldWriter();
    directory.text(1, "d");
    directory.bytes(3, digest);
    directory.varint(4, true);
    if (root) directory.bytes(5, codec().encode(`${V2}.Digest`, named(rootDigest)));
    directory.text(99, "kept");
    const out = new FieldWriter();
    out.message(3, directory.finish());
    out.varint(4, 2);
    out.text(100, "kept");
    return out.toBuffer();
  };
  assert.deepEqual(
    await resultOf(asking, write(false), originals(upstream, { command: command(1) })),
    write(true),
  );
});

test("given a Command that asks for a Tree, or none that is known, then only a client that always asks, or reads nothing else, gets more", async () => {
  const { upstream, tree } = stored();
  const result = encode({ outputDirectories: [{ path: "d", treeDigest: named(upstream.put(tree)) }] });
  const isNamed = async (pair: typeof asking, known: Buffer | null): Promise<boolean> => {
    const seen = await resultOf(pair, result, originals(upstream, { command: known }));
    if (seen === result) return false;
    return decode(seen).outputDirectories[0]!.rootDirectoryDigest !== null;
  };
  assert.deepEqual([await isNamed(mayAsk, command(0)), await isNamed(mayAsk, null)], [false, false]);
  assert.deepEqual([await isNamed(asking, command(0)), await isNamed(asking, null)], [false, true]);
  assert.deepEqual([await isNamed(needing, command(0)), await isNamed(needing, null)], [true, true]);
});

test("given the empty Tree, then its root is the empty directory", async () => {
  const upstream = new MemoryUpstream();
  const empty = upstream.put("");
  for (const tree of ["", hex("0a 00")]) {
    const result = encode({ outputDirectories: [{ path: "d", treeDigest: named(upstream.put(tree)) }] });
    const seen = decode(await resultOf(needing, result, originals(upstream)));
    assert.equal(seen.outputDirectories[0]!.rootDirectoryDigest!.hash, empty.hash);
  }
});

test("given a Tree that is gone, broken or not whole, then a client that reads Trees gets it as it is, and one that does not an error", async () => {
  const { upstream, root } = stored();
  const lacking = new FieldWriter();
  lacking.bytes(1, root);
  const trees = [
    { hash: "cd".repeat(32), sizeBytes: 5n },
    named(upstream.put(hex("0a 7f"))),
    named(upstream.put(lacking.toBuffer())),
  ];
  for (const [index, treeDigest] of trees.entries()) {
    const result = encode({ outputDirectories: [{ path: "d", treeDigest }] });
    assert.equal(await resultOf(asking, result, originals(upstream)), result);
    const name = index === 0 ? "UpstreamError" : "WireError";
    await assert.rejects(resultOf(needing, result, originals(upstream)), { name });
  }
});

test("given a result whose directories have a root already, or nothing at all, then it is the same buffer", async () => {
  const digest = { hash: "ab".repeat(32), sizeBytes: 3n };
  for (const outputDirectories of [
    [],
    [{ path: "d" }],
    [{ path: "d", treeDigest: digest, rootDirectoryDigest: digest }],
  ]) {
    const result = encode({ outputDirectories });
    for (const pair of [asking, needing, treeReader])
      assert.equal(await resultOf(pair, result, originals(new MemoryUpstream())), result);
  }
});

/** The upstream with the directories one by one. */
function scattered() {
  const all = stored();
  for (const directory of [all.leaf, all.a, all.b, all.root]) all.upstream.put(directory);
  return all;
}

test("given a client that reads Trees, when a result names a root alone, then a Tree is made: sorted, each directory once, and marked so", async () => {
  const { upstream, rootDigest, root, a, b, leaf } = scattered();
  const result = { outputDirectories: [{ path: "d", rootDirectoryDigest: named(rootDigest) }], exitCode: 4 };
  const seen = await resultOf(treeReader, encode(result), originals(upstream));
  const [directory] = decode(seen).outputDirectories;
  assert.equal(directory!.isTopologicallySorted, true);
  assert.deepEqual({ ...directory!.rootDirectoryDigest }, named(rootDigest));
  const { hash, sizeBytes } = directory!.treeDigest!;
  const tree = upstream.blobs.get(formatDigest({ hash, sizeBytes: Number(sizeBytes) }));
  const expected = new FieldWriter();
  expected.bytes(1, root);
  for (const below of [a, b, leaf]) expected.bytes(2, below);
  assert.deepEqual(tree, expected.toBuffer());
  assert.equal(await resultOf(treeReader, seen, originals(upstream)), seen);
});

test("given a flag that promised something of a Tree that is not there, then it holds for the one that is made", async () => {
  const { upstream, rootDigest } = scattered();
  const directory = { path: "d", rootDirectoryDigest: named(rootDigest), isTopologicallySorted: true };
  const seen = await resultOf(treeReader, encode({ outputDirectories: [directory] }), originals(upstream));
  // is_topologically_sorted (4) once.
  assert.equal(seen.toString("hex").split("2001").length, 2);
});

test("given a directory that is gone, or too large for one Tree, then the result is not passed on", async () => {
  const { upstream, rootDigest, leaf } = scattered();
  const of = (digest: { hash: string; sizeBytes: number }) =>
    resultOf(
      treeReader,
      encode({ outputDirectories: [{ path: "d", rootDirectoryDigest: named(digest) }] }),
      originals(upstream),
    );
  await assert.rejects(of({ hash: "ab".repeat(32), sizeBytes: (16 << 20) + 1 }), (error) => {
    assert.ok(error instanceof BridgeError);
    assert.deepEqual([error.facts.code, error.facts.drift], ["output-unsupported", "D40"]);
    assert.match(error.message, /The output directory d without a Tree/);
    return true;
  });
  upstream.blobs.delete(formatDigest(upstream.put(leaf)));
  await assert.rejects(
    of(rootDigest),
    (error) => error instanceof UpstreamError && error.code === Status.NOT_FOUND,
  );
  await assert.rejects(of(upstream.put(hex("12 7f"))), { name: "WireError" });
});

test("given a result with a root alone that a client stores on a server of Trees, then a Tree is stored with it", async () => {
  const { upstream, rootDigest } = scattered();
  const action = { hash: "cd".repeat(32), sizeBytes: 7n };
  const request = (outputDirectories: Result["outputDirectories"]) =>
    codec().encode(`${V2}.UpdateActionResultRequest`, {
      actionDigest: action,
      actionResult: { outputDirectories },
    });
  const method = asking.methods.get(UPDATE_ACTION_RESULT)!;
  const sent = await editRequest(
    method,
    request([{ path: "d", rootDirectoryDigest: named(rootDigest) }]),
    call(UPDATE_ACTION_RESULT, upstream),
  );
  const { actionResult } = codec().decode(`${V2}.UpdateActionResultRequest`, sent);
  const { treeDigest, isTopologicallySorted } = actionResult!.outputDirectories[0]!;
  assert.equal(isTopologicallySorted, true);
  assert.ok(
    upstream.blobs.has(formatDigest({ hash: treeDigest!.hash, sizeBytes: Number(treeDigest!.sizeBytes) })),
  );
  for (const message of [sent, request([{ path: "d", treeDigest: action }]), request([])])
    assert.equal(await editRequest(method, message, call(UPDATE_ACTION_RESULT, upstream)), message);
});

test("given levels that tell nothing else, then an older client and a newer server leave calls alone, as results have Trees", () => {
  for (const [from, to] of [
    ["2.7", "2.8"],
    ["2.8", "main"],
  ] as const) {
    assert.equal(
      plan(client({ level: from }), server({ level: to })).methods.get(GET_ACTION_RESULT),
      undefined,
    );
  }
});
