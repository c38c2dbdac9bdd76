import assert from "node:assert/strict";
import { test } from "node:test";
import { blobOf, SHA256 } from "../../../src/client/blob.ts";
import { type Entry, listDirectory, listTree } from "../../../src/client/directories.ts";
import { inputTree } from "../../../src/client/input-tree.ts";
import { codec } from "../../../src/spec/codec.ts";

const TREE = "build.bazel.remote.execution.v2.Tree";
const DIRECTORY = "build.bazel.remote.execution.v2.Directory";

const file = (content: string, executable = false) => ({
  kind: "file" as const,
  digest: blobOf(content).digest,
  executable,
});

test("files become canonical directories and come back from a Tree", async () => {
  const files = new Map([
    ["z", file("z")],
    ["a/b/c", file("c", true)],
    ["a.txt", file("t")],
    ["a/x", file("x")],
  ]);
  const { root, directories } = inputTree(files);
  const messages = directories.map(({ bytes: encoded }) => codec().decode(DIRECTORY, encoded));
  for (const { files: nodes } of messages) {
    const names = nodes.map(({ name }) => name);
    assert.deepEqual(names, names.toSorted());
  }
  assert.equal(directories.at(-1)?.digest.hash, root.hash);
  const tree = codec().encode(TREE, { root: messages.at(-1), children: messages.slice(0, -1) });
  const back = await listTree(tree);
  assert.deepEqual(
    [...back]
      .flatMap(([path, entry]) =>
        entry.kind === "file" ? [`${path} ${entry.digest.hash} ${entry.executable}`] : [],
      )
      .sort(),
    [...files].map(([path, { digest, executable }]) => `${path} ${digest.hash} ${executable}`).sort(),
  );
  assert.deepEqual(
    [...back]
      .filter(([, { kind }]) => kind === "directory")
      .map(([path]) => path)
      .sort(),
    ["a", "a/b"],
  );
});

test("names of every list are sorted by bytes, also where paths would not be", () => {
  const names = ["a", "a-b", "a.b"];
  const { root, directories } = inputTree(new Map(names.map((name) => [`${name}/x`, file("x")])));
  const message = codec().decode(DIRECTORY, directories.find(({ digest }) => digest === root)!.bytes);
  assert.deepEqual(
    message.directories.map(({ name }) => name),
    names,
  );
});

test("symlinks, empty directories and attributes of all of them, in the form of the client", async () => {
  const attributes = { mtime: 1.5, unixMode: 0o750 };
  const entries = new Map<string, Entry>([
    ["", { kind: "directory", attributes: { unixMode: 0o700 } }],
    ["dir", { kind: "directory", attributes }],
    ["dir/file", { ...file("x"), attributes }],
    ["empty", { kind: "directory" }],
    ["link", { kind: "symlink", target: "dir/file", attributes: { mtime: 2 } }],
  ]);
  for (const [level, properties, kept] of [
    ["2.1", "list", true],
    ["2.12", "message", true],
    ["2.1", "message", false],
    ["2.12", "list", false],
    ["2018-11", "list", false],
    ["2.12", "none", false],
  ] as const) {
    const api = codec(level);
    const { root, directories } = inputTree(entries, { codec: api, digestFunction: SHA256, properties });
    const load = ({ hash }: { hash: string }) =>
      directories.find(({ digest }) => digest.hash === hash)!.bytes;
    const back = await listDirectory(load(root), load, api);
    const plain = ([path, { attributes: _, ...entry }]: [string, Entry]) => [path, entry];
    const expected = [...entries].filter(([path]) => path !== "");
    const sorted = [...back]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, entry]): [string, Entry] =>
        entry.kind === "file" ? [path, { ...entry, digest: { ...entry.digest } }] : [path, entry],
      );
    assert.deepEqual(
      kept ? sorted : sorted.map(plain),
      kept ? expected : expected.map(plain as never),
      level,
    );
    const message = api.decode(DIRECTORY, load(root));
    const named = [message.legacyNodeProperties.length > 0, message.nodeProperties !== null];
    assert.deepEqual(named, [kept && properties === "list", kept && properties === "message"]);
  }
});

test("the list spells times by RFC 3339 and modes by four octal digits", () => {
  const entries = new Map<string, Entry>([
    ["a", { ...file("x"), attributes: { mtime: 981_173_045, unixMode: 0o5 } }],
    ["b", { ...file("x"), attributes: { mtime: 981_173_045.25 } }],
  ]);
  const form = { codec: codec("2.0"), digestFunction: SHA256, properties: "list" } as const;
  const { files } = codec("2.0").decode(DIRECTORY, inputTree(entries, form).directories[0]!.bytes);
  const listed = files.map(({ legacyNodeProperties: list }) => list.map(({ name, value }) => [name, value]));
  assert.deepEqual(listed, [
    [
      ["MTime", "2001-02-03T04:04:05Z"],
      ["UnixMode", "0005"],
    ],
    [["MTime", "2001-02-03T04:04:05.250Z"]],
  ]);
});
