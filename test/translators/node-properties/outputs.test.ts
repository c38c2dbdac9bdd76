import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Plan } from "../../../src/plan/plan.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import type { Level } from "../../../src/spec/versions.ts";
import type { Digest } from "../../../src/wire/digest.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { originals, resultOf } from "../support.ts";
import { between, type Directory, directory, someProperties } from "./support.ts";

const V2 = "build.bazel.remote.execution.v2";
type Result = Draft<Messages[`${typeof V2}.ActionResult`]>;

const encode = (level: Level, result: Result): Buffer => codec(level).encode(`${V2}.ActionResult`, result);
const wide = ({ hash, sizeBytes }: Digest) => ({ hash, sizeBytes: BigInt(sizeBytes) });
const read = (result: Buffer) => codec().decode(`${V2}.ActionResult`, result);

const MODE = { unixMode: { value: 0o755 } };
const LISTED = [{ name: "UnixMode", value: "0755" }];
const FILE = { hash: "cd".repeat(32), sizeBytes: 1n };

/** The result as the client gets it, twice edited: a second time changes nothing. */
async function received(pair: Plan, port: MemoryUpstream, result: Buffer): Promise<Buffer> {
  const once = await resultOf(pair, result, originals(port));
  const stored = port.blobs.size;
  assert.equal(await resultOf(pair, once, originals(port, { foreign: true })), once);
  assert.equal(port.blobs.size, stored);
  return once;
}

const newClient = between("2.2", "2.1");
const oldClient = between("2.1", "2.2");

test("given a list by hand, then files and links have messages, in the lists of links as well", async () => {
  // output_files {path "f", node_properties (6)}, output_symlinks {path "l", (3)}, with {name "UnixMode", value "0755"}
  const pair = "0a 08 55 6e 69 78 4d 6f 64 65 12 04 30 37 35 35";
  const given = hex(`12 15 0a 01 66 32 10 ${pair} 62 15 0a 01 6c 1a 10 ${pair}`);
  const after = await received(newClient, new MemoryUpstream(), given);
  const expected = encode("2.2", {
    outputFiles: [{ path: "f", nodeProperties: MODE }],
    outputSymlinks: [{ path: "l", nodeProperties: MODE }],
  });
  assert.deepEqual(after, expected);
  assert.deepEqual(await received(oldClient, new MemoryUpstream(), after), given);
});

test("given inlined contents next to attributes, then each stays what it is", async () => {
  const contents = Buffer.from("contents");
  const given = encode("2.1", { outputFiles: [{ path: "f", contents, legacyNodeProperties: LISTED }] });
  const after = await received(newClient, new MemoryUpstream(), given);
  assert.deepEqual(after, encode("2.2", { outputFiles: [{ path: "f", contents, nodeProperties: MODE }] }));
});

/** A Tree and its Directories in an upstream, with attributes in the form of a level: one on the root, one deep below. */
function stored(level: "2.1" | "2.2", attributed = true) {
  const port = new MemoryUpstream();
  const own = !attributed
    ? {}
    : level === "2.1"
      ? { legacyNodeProperties: LISTED }
      : { nodeProperties: MODE };
  const deep = directory(level, { files: [{ name: "f", digest: FILE, ...own }] });
  const plain = directory(level, { files: [{ name: "g", digest: FILE }] });
  const middle = directory(level, { directories: [{ name: "deep", digest: wide(port.put(deep)) }] });
  const root = directory(level, {
    directories: [
      { name: "middle", digest: wide(port.put(middle)) },
      { name: "plain", digest: wide(port.put(plain)) },
    ],
    ...own,
  });
  const tree = Buffer.concat([
    hex("0a"),
    lengthOf(root),
    root,
    ...[middle, deep, plain].flatMap((child) => [hex("12"), lengthOf(child), child]),
  ]);
  return { port, tree: wide(port.put(tree)), root: wide(port.put(root)) };
}

function lengthOf({ length }: Buffer): Buffer {
  return length < 128 ? Buffer.from([length]) : Buffer.from([(length & 0x7f) | 0x80, length >> 7]);
}

/** The Tree that a digest of a result leads to, its directories by digest; each must be led to. */
function treeAt(port: MemoryUpstream, digest: { hash: string; sizeBytes: bigint } | null) {
  const bytes = port.blobs.get(`${digest!.hash}/${digest!.sizeBytes}`)!;
  const { root, children } = codec().decode(`${V2}.Tree`, bytes);
  return { root: root!, children, bytes };
}

test("given an output directory, then its Tree is stored anew, with the digests of directories that changed; the flag stays true", async () => {
  const { port, tree } = stored("2.1");
  const given = encode("2.4", {
    outputDirectories: [{ path: "d", treeDigest: tree, isTopologicallySorted: true }],
  });
  const { outputDirectories } = read(await received(newClient, port, given));
  const [output] = outputDirectories;
  assert.equal(output?.isTopologicallySorted, true);
  const { port: wanted, tree: other } = stored("2.2");
  const made = treeAt(port, output!.treeDigest);
  const expected = treeAt(wanted, other);
  assert.deepEqual(made.root, expected.root);
  assert.deepEqual(
    new Set(made.children.map((child) => JSON.stringify(child))),
    new Set(expected.children.map((child) => JSON.stringify(child))),
  );
  // And the same backwards, from what the other level has.
  const back = encode("2.4", { outputDirectories: [{ path: "d", treeDigest: other }] });
  const {
    outputDirectories: [older],
  } = read(await received(oldClient, wanted, back));
  assert.deepEqual(treeAt(wanted, older!.treeDigest).root, treeAt(port, tree).root);
});

test("given Directories of their own, then those that changed are stored anew, with a Tree beside them or without", async () => {
  const { port, tree, root } = stored("2.2");
  const wanted = stored("2.1");
  for (const treeDigest of [null, tree]) {
    const given = encode("2.8", {
      outputDirectories: [{ path: "d", treeDigest, rootDirectoryDigest: root }],
    });
    const { outputDirectories } = read(await received(oldClient, port, given));
    assert.equal(outputDirectories[0]?.rootDirectoryDigest?.hash, wanted.root.hash);
    assert.equal(outputDirectories[0]?.treeDigest === null, treeDigest === null);
    for (const key of wanted.port.blobs.keys())
      if (key !== `${wanted.tree.hash}/${wanted.tree.sizeBytes}`) assert.ok(port.blobs.has(key), key);
  }
});

test("given no attributes anywhere, then the result is the same buffer, and nothing is stored", async () => {
  for (const [pair, level] of [
    [newClient, "2.1"],
    [oldClient, "2.2"],
  ] as const) {
    const { port, tree, root } = stored(level, false);
    const before = port.blobs.size;
    const given = encode("2.8", {
      exitCode: 3,
      outputDirectories: [{ path: "d", treeDigest: tree, rootDirectoryDigest: root }],
    });
    assert.equal(await received(pair, port, given), given);
    assert.equal(port.blobs.size, before);
  }
});

test("given an attribute that the client cannot be told, then the output is named", async () => {
  const file = encode("2.2", {
    outputFiles: [{ path: "out/f", nodeProperties: { unixMode: { value: 0o100755 } } }],
  });
  await assert.rejects(
    received(oldClient, new MemoryUpstream(), file),
    /unix_mode of "out\/f".*the client reads them as pairs of text only/,
  );
  const port = new MemoryUpstream();
  const root = directory("2.2", {
    files: [{ name: "f", nodeProperties: { unixMode: { value: 0o100755 } } }],
  });
  const tree = wide(port.put(Buffer.concat([hex("0a"), lengthOf(root), root])));
  const inside = encode("2.2", { outputDirectories: [{ path: "out/d", treeDigest: tree }] });
  await assert.rejects(received(oldClient, port, inside), {
    name: "BridgeError",
    message: /unix_mode of "f" in "out\/d"/,
  });
});

test("given an output that is not stored, then it stays as it is; a Tree that lacks a directory is an error", async () => {
  const { port, tree, root } = stored("2.1");
  const elsewhere = encode("2.8", {
    outputDirectories: [{ path: "d", treeDigest: tree, rootDirectoryDigest: root }],
  });
  assert.equal(await received(newClient, new MemoryUpstream(), elsewhere), elsewhere);
  const rootBytes = port.blobs.get(`${root.hash}/${root.sizeBytes}`)!;
  const lacking = wide(port.put(Buffer.concat([hex("0a"), lengthOf(rootBytes), rootBytes])));
  const result = encode("2.1", { outputDirectories: [{ path: "d", treeDigest: lacking }] });
  await assert.rejects(received(newClient, port, result), { name: "WireError", code: "tree" });
});

test("given an action that is known to ask for nothing, then nothing is read", async () => {
  const { port, tree } = stored("2.1");
  const given = encode("2.1", { outputDirectories: [{ path: "d", treeDigest: tree }] });
  const read: string[] = [];
  const watched = (command: Buffer) => ({
    ...originals(port, { action: Buffer.alloc(0), command }),
    read: (digest: Digest) => {
      read.push(digest.hash);
      return port.readBlob(digest, 1 << 20);
    },
  });
  const asking = (...names: string[]) =>
    codec("2.2").encode(`${V2}.Command`, { outputNodeProperties: names });
  assert.equal(await resultOf(newClient, given, watched(asking())), given);
  assert.deepEqual(read, []);
  assert.notEqual(await resultOf(newClient, given, watched(asking("mtime"))), given);
  assert.deepEqual(read, [tree.hash]);
});

test("unknown fields survive: in the result, in an output, in a directory", async () => {
  const extra = hex("a2 06 03 61 62 63");
  const file = Buffer.concat([
    hex("0a 01 66"),
    extra,
    hex("32 10 0a 08 55 6e 69 78 4d 6f 64 65 12 04 30 37 35 35"),
  ]);
  const given = Buffer.concat([hex("12"), lengthOf(file), file, extra]);
  const after = await received(newClient, new MemoryUpstream(), given);
  assert.equal(after.toString("latin1").split(extra.toString("latin1")).length, 3);
});

/** A directory below the root and one in it, in one Tree; `given` are fields of the DirectoryNode that leads to the first. */
function early(given: string) {
  const port = new MemoryUpstream();
  const child = directory("2.1", { files: [{ name: "f", digest: FILE }] });
  const digest = codec().encode(`${V2}.Digest`, wide(port.put(child)));
  const node = Buffer.concat([hex("0a 01 63 12"), lengthOf(digest), digest, hex(given)]);
  const root = Buffer.concat([hex("12"), lengthOf(node), node]);
  return {
    port,
    tree: wide(port.put(Buffer.concat([hex("0a"), lengthOf(root), root, hex("12"), lengthOf(child), child]))),
  };
}

test("given attributes where they stood in October 2019, told by their wire type, then they are those of the directories", async () => {
  const pair = "0a 08 55 6e 69 78 4d 6f 64 65 12 04 30 37 35 35";
  const { port, tree } = early(`1a 10 ${pair}`);
  const output = Buffer.concat([
    codec("2.1").encode(`${V2}.OutputDirectory`, { path: "d", treeDigest: tree }),
    hex(`22 10 ${pair}`),
  ]);
  const given = Buffer.concat([hex("1a"), lengthOf(output), output]);
  const { outputDirectories } = read(await received(newClient, port, given));
  const { root, children } = treeAt(port, outputDirectories[0]!.treeDigest);
  assert.equal(root.nodeProperties?.unixMode?.value, 0o755);
  assert.equal(children[0]?.nodeProperties?.unixMode?.value, 0o755);
  assert.equal(children.length, 1);
  assert.equal(outputDirectories[0]!.isTopologicallySorted, false);
});

test("given two of them for one directory, then that is refused, as it can only have one", async () => {
  const port = new MemoryUpstream();
  const child = directory("2.1", { files: [{ name: "f", digest: FILE }] });
  const digest = codec().encode(`${V2}.Digest`, wide(port.put(child)));
  const node = (name: string, given: string) => {
    const bytes = Buffer.concat([hex(`0a 01 ${name} 12`), lengthOf(digest), digest, hex(given)]);
    return Buffer.concat([hex("12"), lengthOf(bytes), bytes]);
  };
  const root = Buffer.concat([node("61", "1a 03 0a 01 78"), node("62", "1a 03 0a 01 79")]);
  const tree = wide(
    port.put(Buffer.concat([hex("0a"), lengthOf(root), root, hex("12"), lengthOf(child), child])),
  );
  const given = encode("2.1", { outputDirectories: [{ path: "d", treeDigest: tree }] });
  await assert.rejects(received(newClient, port, given), /two places with different ones/);
});

test("lists that agree but for where they are asked for need nothing done to results", () => {
  for (const [from, to] of [
    ["list", "2020-03"],
    ["2020-03", "list"],
  ] as const)
    assert.ok(between(from, to).content.every(({ result }) => result === undefined));
});

interface Shape {
  readonly files: Directory["files"];
  readonly nodeProperties: Directory["nodeProperties"];
  readonly below: readonly Shape[];
}

const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.record({
    files: fc.array(fc.record({ name: fc.stringMatching(/^[a-z]$/), nodeProperties: someProperties }), {
      maxLength: 2,
    }),
    nodeProperties: someProperties,
    below: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constant([]),
      fc.array(tie("shape"), { maxLength: 2 }),
    ),
  }),
}));

/** The Tree of a shape. */
function treeOf(port: MemoryUpstream, top: Shape): Buffer {
  const children: Buffer[] = [];
  const build = ({ below, ...own }: Shape): Buffer => {
    const directories = below.map((child, index) => {
      const bytes = build(child);
      children.push(bytes);
      return { name: `d${index}`, digest: wide(port.put(bytes)) };
    });
    return directory("2.2", { ...own, directories });
  };
  const root = build(top);
  const parts = [root, ...children.reverse()].map((bytes, index) => [
    hex(index === 0 ? "0a" : "12"),
    lengthOf(bytes),
    bytes,
  ]);
  return Buffer.concat(parts.flat());
}

test("a Tree of any shape is the same after a way there and back, as far as order goes", async () => {
  await fc.assert(
    fc.asyncProperty(shape, async (top) => {
      const port = new MemoryUpstream();
      const tree = wide(port.put(treeOf(port, top)));
      const given = encode("2.2", { outputDirectories: [{ path: "d", treeDigest: tree }] });
      const there = await received(oldClient, port, given);
      const back = read(await received(newClient, port, there)).outputDirectories[0]!;
      assert.deepEqual(treeAt(port, back.treeDigest).root, treeAt(port, tree).root);
      const set = (digest: typeof tree) =>
        new Set(treeAt(port, digest).children.map((child) => JSON.stringify(child)));
      assert.deepEqual(set(back.treeDigest as typeof tree), set(tree));
    }),
    { numRuns: 60 },
  );
});
