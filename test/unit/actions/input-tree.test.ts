import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { makeDirectories } from "../../../src/actions/make-directories.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { codec } from "../../../src/spec/codec.ts";
import type { ContentHooks } from "../../../src/translators/translator.ts";
import { type Digest, formatDigest } from "../../../src/wire/digest.ts";
import { digestOf, encode, folders, paths } from "../tree/support.ts";
import { engineOf, execute, Farm, key, lookUp, V2, withoutA } from "./support.ts";

/** The input root of the last action that ran. */
function rootOf(farm: Farm): Buffer {
  const { inputRootDigest } = codec().decode(`${V2}.Action`, farm.blobs.get(key(farm.ran.at(-1)!))!);
  return farm.blobs.get(key(inputRootDigest!))!;
}

const loader = (farm: Farm) => (digest: Digest) => farm.blobs.get(formatDigest(digest))!;

test("every directory of a tree is rewritten, and its parents fit", async () => {
  await fc.assert(
    fc.asyncProperty(folders, async (folder) => {
      const farm = new Farm();
      const root = encode(folder, farm.blobs);
      const action = farm.action(farm.store(root));
      await execute(engineOf([withoutA]), farm, action);
      const before = paths(root, loader(farm));
      const wanted = before.filter((path) => !/(^|\/)a$/.test(path));
      assert.deepEqual(paths(rootOf(farm), loader(farm)), wanted);
      if (wanted.length === before.length) assert.equal(key(farm.ran[0]!), key(action));
    }),
    { numRuns: 60 },
  );
});

test("a warm tree is never read again, for the same action or another", async () => {
  const farm = new Farm();
  const folder = {
    files: ["a"],
    folders: { d: { files: ["a", "b"], folders: {} }, e: { files: ["b"], folders: {} } },
  };
  const root = farm.store(encode(folder, farm.blobs));
  const engine = engineOf([withoutA]);
  await execute(engine, farm, farm.action(root));
  const { length } = farm.read;
  assert.equal(length, 5);
  await execute(engine, farm, farm.action(root));
  assert.equal(farm.read.length, length);
  await execute(engine, farm, farm.action(root, "another"));
  assert.equal(farm.read.length, length + 2);
  assert.equal(key(farm.ran[0]!), key(farm.ran[1]!));
});

test("what the upstream has lost of a warm tree is made and stored again", async () => {
  const farm = new Farm();
  const folder = { files: ["b"], folders: { d: { files: ["a", "b"], folders: {} } } };
  const engine = engineOf([withoutA]);
  const action = farm.action(farm.store(encode(folder, farm.blobs)));
  const before = new Set(farm.blobs.keys());
  await execute(engine, farm, action);
  const made = [...farm.blobs.keys()].filter((digest) => !before.has(digest));
  assert.equal(made.length, 3);
  for (const digest of made) farm.blobs.delete(digest);
  await execute(engine, farm, action);
  for (const digest of made) assert.ok(farm.blobs.has(digest));
});

test("a look-up rewrites the tree to know the key, and stores nothing", async () => {
  const farm = new Farm();
  const action = farm.action(farm.store(encode({ files: ["a"], folders: {} }, farm.blobs)));
  await execute(engineOf([withoutA]), farm, action);
  farm.actionResults.set(key(farm.ran[0]!), codec().encode(`${V2}.ActionResult`, { exitCode: 3 }));
  const { write } = farm.calls;
  assert.equal((await lookUp(engineOf([withoutA]), farm, action)).exitCode, 3);
  assert.equal(farm.calls.write, write);
});

test("a tree that is too deep is refused by name", async () => {
  const farm = new Farm();
  let root = farm.directory();
  for (let depth = 0; depth < 2_100; depth++) root = farm.directory(root);
  await assert.rejects(
    execute(engineOf([withoutA]), farm, farm.action(root)),
    (error) => error instanceof BridgeError && /more than 2048 directories deep/.test(error.message),
  );
  await assert.rejects(lookUp(engineOf([withoutA]), farm, farm.action(root)), { code: 5 });
});

test("a directory that holds itself is refused, where hashes cannot be checked", async () => {
  class Unchecked extends Farm {
    override async readBlob(digest: Digest, maxBytes: number): Promise<Buffer> {
      return formatDigest(digest) === circle ? circular : super.readBlob(digest, maxBytes);
    }
  }
  const digest = { hash: "ab".repeat(32), sizeBytes: 74n };
  const circle = key(digest);
  const circular = codec().encode(`${V2}.Directory`, { directories: [{ name: "d", digest }] });
  const farm = new Unchecked();
  await assert.rejects(execute(engineOf([withoutA]), farm, farm.action(digest)), {
    name: "WireError",
    message: /contains itself/,
  });
});

/** Where directories have to be, given to an action. */
const needs = (...directories: string[]): ContentHooks => ({ action: () => ({ directories }) });

test("directories that are missing are made, those that are there stay", async () => {
  const farm = new Farm();
  const folder = {
    files: ["f"],
    folders: { d: { files: [], folders: { e: { files: ["b"], folders: {} } } } },
  };
  const action = farm.action(farm.store(encode(folder, farm.blobs)));
  await execute(engineOf([needs("d/e", "d/new/deep", "top", "f/under")]), farm, action);
  assert.deepEqual(paths(rootOf(farm), loader(farm)), [
    "d/",
    "d/e/",
    "d/e/b",
    "d/new/",
    "d/new/deep/",
    "f",
    "top/",
  ]);
});

test("where all directories are there the client's own action runs", async () => {
  const farm = new Farm();
  const folder = { files: [], folders: { d: { files: [], folders: { e: { files: [], folders: {} } } } } };
  const action = farm.action(farm.store(encode(folder, farm.blobs)));
  await execute(engineOf([needs("d/e", "d")]), farm, action);
  assert.equal(key(farm.ran[0]!), key(action));
});

test("new directories are edited like all others", async () => {
  const farm = new Farm();
  const action = farm.action(farm.store(encode({ files: ["a"], folders: {} }, farm.blobs)));
  await execute(engineOf([needs("d"), withoutA]), farm, action);
  assert.deepEqual(paths(rootOf(farm), loader(farm)), ["d/"]);
});

test("directories are made in any tree, sorted, and a second time changes nothing", async () => {
  const names = fc.array(fc.constantFrom("a", "d", "e", "x"), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(folders, fc.array(names, { minLength: 1, maxLength: 4 }), async (folder, wanted) => {
      const stored = new Map<string, Buffer>();
      const root = encode(folder, stored);
      stored.set(formatDigest(digestOf(root)), root);
      const load = async (digest: Digest) => stored.get(formatDigest(digest))!;
      const given = wanted.map((path) => path.join("/"));
      const made = await makeDirectories(digestOf(root), given, load, digestOf);
      for (const { digest, bytes } of made.made) stored.set(formatDigest(digest), bytes);
      const again = await makeDirectories(made.root, given, load, digestOf);
      assert.deepEqual(again, { root: made.root, made: [] });
      for (const bytes of stored.values()) {
        const found = codec()
          .decode(`${V2}.Directory`, bytes)
          .directories.map(({ name }) => name);
        assert.deepEqual(found, [...found].sort());
      }
    }),
    { numRuns: 60 },
  );
});
