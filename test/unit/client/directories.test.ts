import assert from "node:assert/strict";
import { test } from "node:test";
import { blobOf } from "../../../src/client/blob.ts";
import { inputTree, listTree, type RemoteFile } from "../../../src/client/directories.ts";
import { codec } from "../../../src/spec/codec.ts";

const TREE = "build.bazel.remote.execution.v2.Tree";
const DIRECTORY = "build.bazel.remote.execution.v2.Directory";

test("files become canonical directories and come back from a Tree", async () => {
  const file = (content: string, executable = false): RemoteFile => ({
    digest: blobOf(content).digest,
    executable,
  });
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
