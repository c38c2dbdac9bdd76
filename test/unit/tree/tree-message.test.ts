import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codec } from "../../../src/spec/codec.ts";
import { editTree, makeTree, TreeMessage } from "../../../src/tree/tree-message.ts";
import { type Digest, formatDigest } from "../../../src/wire/digest.ts";
import { digestOf, encode, folders, paths, V2 } from "./support.ts";

/** A Tree of a folder, in any order. */
function treeOf(folder: Parameters<typeof encode>[0]): {
  tree: Buffer;
  root: Buffer;
  stored: Map<string, Buffer>;
} {
  const stored = new Map<string, Buffer>();
  const root = encode(folder, stored);
  const { bytes } = makeTree(root, (digest) => stored.get(formatDigest(digest))!);
  return { tree: bytes, root, stored };
}

test("a Tree has each directory once, those that lead to it before it", () => {
  fc.assert(
    fc.property(folders, (folder) => {
      const { tree, root, stored } = treeOf(folder);
      const { root: first, children } = codec().decode(`${V2}.Tree`, tree);
      assert.deepEqual(codec().encode(`${V2}.Directory`, first!), root);
      const order = children.map((child) => formatDigest(digestOf(codec().encode(`${V2}.Directory`, child))));
      assert.equal(new Set(order).size, order.length);
      assert.deepEqual(new Set(order), new Set(stored.keys()));
      for (const [index, child] of children.entries()) {
        for (const { digest } of child.directories)
          assert.ok(order.indexOf(`${digest!.hash}/${digest!.sizeBytes}`) > index);
      }
    }),
  );
});

test("what a Tree holds is what its directories hold", () => {
  fc.assert(
    fc.property(folders, (folder) => {
      const { tree, root, stored } = treeOf(folder);
      const read = TreeMessage.read(tree, digestOf);
      const load = (digest: Digest) => stored.get(formatDigest(digest))!;
      assert.deepEqual(
        paths(read.root, (digest) => read.directory(digest)),
        paths(root, load),
      );
    }),
  );
});

test("a Tree in which nothing is edited stays as it is", () => {
  fc.assert(
    fc.property(folders, (folder) => {
      const read = TreeMessage.read(treeOf(folder).tree, digestOf);
      assert.equal(
        editTree(read, () => null, digestOf),
        null,
      );
    }),
  );
});

/** Takes the files called `a` away. */
function withoutA(directory: Buffer): readonly Buffer[] | null {
  const read = codec().decode(`${V2}.Directory`, directory);
  const files = read.files.filter(({ name }) => name !== "a");
  if (files.length === read.files.length) return null;
  return [codec().encode(`${V2}.Directory`, { ...read, files })];
}

test("edits reach every directory, and digests fit again", () => {
  fc.assert(
    fc.property(folders, (folder) => {
      const { tree, root, stored } = treeOf(folder);
      const made = editTree(TreeMessage.read(tree, digestOf), withoutA, digestOf);
      const before = paths(root, (digest) => stored.get(formatDigest(digest))!);
      const wanted = before.filter((path) => !/(^|\/)a$/.test(path));
      if (made === null) return assert.deepEqual(wanted, before);
      const read = TreeMessage.read(made.bytes, digestOf);
      assert.deepEqual(
        paths(read.root, (digest) => read.directory(digest)),
        wanted,
      );
      assert.equal(editTree(read, withoutA, digestOf), null);
    }),
  );
});

test("fields nobody knows stay in directories that are edited around them", () => {
  const unknown = Buffer.from([0xca, 0x3e, 0x01, 0x61]);
  const child = Buffer.concat([codec().encode(`${V2}.Directory`, { files: [{ name: "a" }] }), unknown]);
  const digest = digestOf(child);
  const root = Buffer.concat([
    codec().encode(`${V2}.Directory`, {
      directories: [{ name: "d", digest: { hash: digest.hash, sizeBytes: BigInt(digest.sizeBytes) } }],
    }),
    unknown,
  ]);
  const tree = makeTree(root, () => child).bytes;
  const drop = (directory: Buffer) => (directory.equals(child) ? [unknown] : null);
  const made = editTree(TreeMessage.read(tree, digestOf), drop, digestOf)!;
  assert.deepEqual(made.children, [unknown]);
  assert.deepEqual(made.root.subarray(-4), unknown);
});

test("a Tree that lacks a directory says which", () => {
  const digest = { hash: "ab".repeat(32), sizeBytes: 4n };
  const root = codec().encode(`${V2}.Directory`, { directories: [{ name: "d", digest }] });
  const tree = codec().encode(`${V2}.Tree`, { root: codec().decode(`${V2}.Directory`, root) });
  assert.throws(() => editTree(TreeMessage.read(tree, digestOf), () => null, digestOf), {
    code: "tree",
    message: /lacks its directory (ab){32}\/4/,
  });
});

test("a Tree ten thousand deep is no matter of the stack", () => {
  const stored = new Map<string, Buffer>();
  let bytes = codec().encode(`${V2}.Directory`, { files: [{ name: "a" }] });
  for (let depth = 0; depth < 10_000; depth++) {
    const digest = digestOf(bytes);
    stored.set(formatDigest(digest), bytes);
    bytes = codec().encode(`${V2}.Directory`, {
      directories: [{ name: "d", digest: { hash: digest.hash, sizeBytes: BigInt(digest.sizeBytes) } }],
    });
  }
  const { bytes: tree, children } = makeTree(bytes, (digest) => stored.get(formatDigest(digest))!);
  assert.equal(children.length, 10_000);
  assert.ok(editTree(TreeMessage.read(tree, digestOf), withoutA, digestOf));
});
