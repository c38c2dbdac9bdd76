import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codec } from "../../../src/spec/codec.ts";
import { TreeCutter } from "../../../src/tree/cut.ts";
import { makeTree, TreeMessage } from "../../../src/tree/tree-message.ts";
import { formatDigest } from "../../../src/wire/digest.ts";
import { digestOf, encode, type Folder, folders, paths, store, V2 } from "./support.ts";

/** A Tree with a link `l` to each target in it, and a file and a directory that they may lead to. */
function withLinks(...targets: readonly string[]): TreeCutter {
  const stored = new Map<string, Buffer>();
  const links = (names: readonly string[]) =>
    names.map((target, index) => ({ name: `l${index === 0 ? "" : index}`, target }));
  const file = { name: "f", digest: { hash: "ab".repeat(32), sizeBytes: 3n } };
  const inner = codec().encode(`${V2}.Directory`, { files: [file], symlinks: links(targets) });
  const { hash, sizeBytes } = store(inner, stored);
  const root = codec().encode(`${V2}.Directory`, {
    directories: [{ name: "d", digest: { hash, sizeBytes: BigInt(sizeBytes) } }],
    symlinks: links(targets),
  });
  const { bytes } = makeTree(root, (digest) => stored.get(formatDigest(digest))!);
  return new TreeCutter(TreeMessage.read(bytes, digestOf));
}

/** Everything that lies below a folder, by its path: `file`, or the paths below a directory. */
function listing({ files, folders: inner }: Folder, under = ""): Map<string, Folder | null> {
  const all = new Map<string, Folder | null>();
  for (const name of files) if (!(name in inner)) all.set(`${under}${name}`, null);
  for (const [name, folder] of Object.entries(inner)) {
    all.set(`${under}${name}`, folder);
    for (const entry of listing(folder, `${under}${name}/`)) all.set(...entry);
  }
  return all;
}

test("everything in a Tree is found where it lies, and each directory makes the Tree of its own", () => {
  fc.assert(
    fc.property(folders, (folder) => {
      const stored = new Map<string, Buffer>();
      const load = (digest: { hash: string; sizeBytes: number }) => stored.get(formatDigest(digest))!;
      const root = encode(folder, stored);
      const tree = TreeMessage.read(makeTree(root, load).bytes, digestOf);
      const cutter = new TreeCutter(tree);
      for (const [path, inner] of listing(folder)) {
        const found = cutter.at(path);
        if (inner === null) {
          assert.equal(found?.kind, "file", path);
          continue;
        }
        assert.ok(found?.kind === "directory", path);
        const own = new Map<string, Buffer>();
        const alone = encode(inner, own);
        assert.deepEqual(found.directory, alone);
        const cut = makeTree(found.directory, (digest) => tree.directory(digest));
        const direct = makeTree(alone, (digest) => own.get(formatDigest(digest))!);
        assert.deepEqual(cut.bytes, direct.bytes);
        assert.deepEqual(
          paths(cut.root, (digest) => tree.directory(digest)),
          paths(alone, load),
        );
      }
    }),
  );
});

test("what is not there is not found, and neither is anything below a file", () => {
  const cutter = withLinks("f");
  for (const path of ["x", "d/x", "d/f/x", "x/f", "d/f/..", "d/f/."])
    assert.equal(cutter.at(path), null, path);
});

test("the root is a directory like others", () => {
  const cutter = withLinks("f");
  const found = cutter.at("");
  assert.ok(found?.kind === "directory");
  assert.deepEqual(cutter.at("d/.."), found);
});

test("a link at the end is found as such, or followed where that is asked for", () => {
  const cutter = withLinks("d/f", "../d/../d/f", "./d/");
  assert.equal(cutter.at("l")?.kind, "symlink");
  assert.equal(cutter.at("l", true)?.kind, "file");
  assert.equal(cutter.at("d/l1", true)?.kind, "file");
  assert.equal(cutter.at("l2", true)?.kind, "directory");
});

test("links on the way are followed", () => {
  const cutter = withLinks("d");
  assert.deepEqual(cutter.at("l/f"), cutter.at("d/f"));
  assert.equal(cutter.at("l/f")?.kind, "file");
});

test("links that lead out of the Tree, nowhere or in a circle lead to nothing", () => {
  for (const target of ["/d/f", "../f", "d/../../x", "gone", "l", "d/f/"]) {
    const cutter = withLinks(target);
    assert.equal(cutter.at("l", true), null, target);
    assert.equal(cutter.at("l/f"), null, target);
    assert.equal(cutter.at("l")?.kind, "symlink", target);
  }
});

test("a Tree without a directory that a path leads into is broken", () => {
  const root = codec().encode(`${V2}.Directory`, {
    directories: [{ name: "d", digest: { hash: "cd".repeat(32), sizeBytes: 7n } }],
  });
  const cutter = new TreeCutter(TreeMessage.read(makeTree(root, () => Buffer.alloc(0)).bytes, digestOf));
  assert.throws(() => cutter.at("d/f"), { name: "WireError", code: "tree" });
  assert.throws(() => new TreeCutter(TreeMessage.read(Buffer.from("0a020aff", "hex"), digestOf)).at("d"), {
    name: "WireError",
  });
});
