import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { digestOf } from "../../../src/wire/hasher.ts";
import { SHA256, Workshop } from "./execution-support.ts";

type Tree = Messages["build.bazel.remote.execution.v2.Tree"];
type Directory = Messages["build.bazel.remote.execution.v2.Directory"];

async function treeOf(
  workshop: Workshop,
  output: { treeDigest: Messages["build.bazel.remote.execution.v2.Digest"] | null } | undefined,
): Promise<Tree> {
  return codec().decode(
    "build.bazel.remote.execution.v2.Tree",
    await workshop.get(output?.treeDigest ?? null),
  );
}

function hashOf(directory: Directory): string {
  return digestOf(codec().encode("build.bazel.remote.execution.v2.Directory", directory), SHA256).hash;
}

test("output_paths: whatever is there comes back as what it is, the rest is left out", async (t) => {
  const workshop = await Workshop.open(t);
  const result = await workshop.result({
    run: "echo text > file; echo tool > tool; chmod +x tool; mkdir dir; echo in > dir/in; ln -s file link; ln -s nowhere dangling",
    command: { outputPaths: ["dangling", "dir", "file", "link", "missing", "tool"] },
  });
  assert.deepEqual(
    result.outputFiles.map(({ path, isExecutable }) => [path, isExecutable]),
    [
      ["file", false],
      ["tool", true],
    ],
  );
  assert.equal(await workshop.text(result.outputFiles[0]?.digest ?? null), "text\n");
  assert.deepEqual(
    result.outputSymlinks.map(({ path, target }) => [path, target]),
    [
      ["dangling", "nowhere"],
      ["link", "file"],
    ],
  );
  assert.deepEqual(
    result.outputDirectories.map(({ path }) => path),
    ["dir"],
  );
  assert.deepEqual([result.outputFileSymlinks, result.outputDirectorySymlinks], [[], []]);
  assert.equal(result.exitCode, 0);
});

test("a Tree has each directory once, parents before children, and says that it is sorted", async (t) => {
  const workshop = await Workshop.open(t);
  const { outputDirectories } = await workshop.result({
    run: "mkdir -p out/b/same/leaf out/a/same/leaf out/a/z; echo x > out/a/same/leaf/x; echo x > out/b/same/leaf/x; ln -s ../b out/a/link",
    command: { outputPaths: ["out"] },
  });
  assert.equal(outputDirectories[0]?.isTopologicallySorted, true);
  assert.equal(outputDirectories[0]?.rootDirectoryDigest, null);
  const { root, children } = await treeOf(workshop, outputDirectories[0]);
  assert(root);
  assert.deepEqual(
    root.directories.map(({ name }) => name),
    ["a", "b"],
  );
  const order = [root, ...children].map(hashOf);
  assert.equal(new Set(order).size, order.length, "each directory once");
  assert.equal(children.length, 5, "a, b, same, leaf, z");
  for (const [index, directory] of [root, ...children].entries()) {
    for (const { name, digest } of directory.directories) {
      assert(order.indexOf(digest?.hash ?? "") > index, `${name} comes after its parent`);
    }
  }
  const a = children.find((child) => child.symlinks.length > 0);
  assert.deepEqual(
    a?.symlinks.map(({ name, target }) => [name, target]),
    [["link", "../b"]],
  );
});

test("equal contents make equal Trees, whatever the order in which they were made", async (t) => {
  const workshop = await Workshop.open(t);
  const trees = [];
  for (const names of ["B a é 1", "1 é a B"]) {
    const run = `mkdir out; cd out; for n in ${names}; do mkdir $n; echo $n > $n/f; done`;
    const { outputDirectories } = await workshop.result({ run, command: { outputPaths: ["out"] } });
    trees.push(outputDirectories[0]?.treeDigest?.hash);
  }
  assert.equal(trees[0], trees[1]);
});

for (const [format, name] of [
  [0, "TREE_ONLY"],
  [1, "DIRECTORY_ONLY"],
  [2, "TREE_AND_DIRECTORY"],
  [99, "a format nobody knows"],
] as const) {
  test(`${name} stores ${format === 1 ? "directories" : format === 2 ? "both forms" : "a Tree"}`, async (t) => {
    const workshop = await Workshop.open(t);
    const command = { outputPaths: ["out"], outputDirectoryFormat: format };
    const { outputDirectories } = await workshop.result({
      run: "mkdir -p out/in; echo x > out/in/x",
      command,
    });
    const [output] = outputDirectories;
    assert.equal(output?.treeDigest !== null, format !== 1);
    assert.equal(output?.rootDirectoryDigest !== null, format === 1 || format === 2);
    if (output?.treeDigest) {
      const { root } = await treeOf(workshop, output);
      assert(root);
      if (output.rootDirectoryDigest) assert.equal(hashOf(root), output.rootDirectoryDigest.hash);
    }
    if (output?.rootDirectoryDigest) {
      const type = "build.bazel.remote.execution.v2.Directory";
      const root = codec().decode(type, await workshop.get(output.rootDirectoryDigest));
      const inner = codec().decode(type, await workshop.get(root.directories[0]?.digest ?? null));
      assert.equal(await workshop.text(inner.files[0]?.digest ?? null), "x\n");
    }
  });
}

test("an empty directory is an output with an empty root", async (t) => {
  const workshop = await Workshop.open(t);
  const { outputDirectories } = await workshop.result({
    run: "mkdir out",
    command: { outputPaths: ["out"] },
  });
  const { root, children } = await treeOf(workshop, outputDirectories[0]);
  assert.deepEqual([root?.files, root?.directories, root?.symlinks, children], [[], [], [], []]);
});

test("typed lists: links are listed by kind, and the working directory itself may be an output", async (t) => {
  const workshop = await Workshop.open(t);
  const result = await workshop.result({
    run: "echo f > f; mkdir d; ln -s f lf; ln -s d ld; ln -s gone lg",
    command: { outputFiles: ["f", "lf", "lg"], outputDirectories: ["", "d", "ld"], workingDirectory: "work" },
    inputs: { work: { directory: { kept: "kept" } } },
  });
  assert.deepEqual(
    result.outputFiles.map(({ path }) => path),
    ["f"],
  );
  assert.deepEqual(
    result.outputFileSymlinks.map(({ path }) => path),
    ["lf", "lg"],
  );
  assert.deepEqual(
    result.outputDirectories.map(({ path }) => path),
    ["", "d"],
  );
  assert.deepEqual(
    result.outputDirectorySymlinks.map(({ path }) => path),
    ["ld"],
  );
  assert.deepEqual(result.outputSymlinks, []);
  const { root } = await treeOf(workshop, result.outputDirectories[0]);
  assert.deepEqual(
    root?.files.map(({ name }) => name),
    ["f", "kept"],
  );
});

test("output_paths replace the typed lists, where the level has them", async (t) => {
  const command = { outputPaths: ["b"], outputFiles: ["a"] };
  for (const [level, expected] of [
    ["2018-11", "a"],
    ["2.0", "a"],
    ["2.1", "b"],
    ["main", "b"],
  ] as const) {
    const workshop = await Workshop.open(t, { level, client: "main" });
    const { outputFiles } = await workshop.result({ run: "echo > a; echo > b", command });
    assert.deepEqual([level, outputFiles.map(({ path }) => path)], [level, [expected]]);
  }
});

test("an output of the wrong kind is left out at 2018-11 and an error since 2.0", async (t) => {
  const command = { outputFiles: ["d", "ld"], outputDirectories: ["f", "lf"] };
  const run = "mkdir d; echo > f; ln -s d ld; ln -s f lf";
  const old = await Workshop.open(t, { level: "2018-11" });
  const result = await old.result({ run, command });
  assert.deepEqual([result.outputFiles, result.outputDirectories], [[], []]);
  assert.deepEqual([result.outputFileSymlinks, result.outputDirectorySymlinks], [[], []]);
  for (const [path, declared, found] of [
    ["d", "outputFiles", "a directory"],
    ["ld", "outputFiles", "a directory"],
    ["f", "outputDirectories", "a file"],
    ["lf", "outputDirectories", "a file"],
  ] as const) {
    const workshop = await Workshop.open(t, { level: "2.0" });
    const { status } = await workshop.run({ run, command: { [declared]: [path] } });
    assert.equal(status?.code, 9);
    assert.match(status?.message ?? "", new RegExp(`"${path}" was declared as .* but is ${found}`));
  }
});

test("directories that lead to outputs exist since 2.0; output directories themselves do not", async (t) => {
  const command = { outputFiles: ["a/b/file"], outputDirectories: ["c/d"] };
  const run = "test -d a/b && test -d c && test ! -e c/d";
  for (const [level, exitCode] of [
    ["2018-11", 1],
    ["2.0", 0],
  ] as const) {
    const workshop = await Workshop.open(t, { level });
    assert.equal((await workshop.result({ run, command })).exitCode, exitCode, level);
  }
});

test("outputs beside the working directory, but not outside the input root", async (t) => {
  const workshop = await Workshop.open(t);
  const inputs = { work: { directory: {} }, out: { link: "/" } };
  const result = await workshop.result({
    run: "echo beside > ../beside/x",
    command: { workingDirectory: "work", outputPaths: ["../beside/x"] },
    inputs,
  });
  assert.equal(result.outputFiles[0]?.path, "../beside/x");
  assert.equal(await workshop.text(result.outputFiles[0]?.digest ?? null), "beside\n");
  for (const path of ["../../x", "/tmp/x", "a/../../../x", "x/", "../out/x"]) {
    const command = { workingDirectory: "work", outputPaths: [path] };
    const { status } = await workshop.run({ run: "true", command, inputs });
    assert.equal(status?.code, 3, path);
    assert.match(status?.message ?? "", /^output_paths: /);
  }
});

test("a link made by the command does not let an output come from outside the root", async (t) => {
  const workshop = await Workshop.open(t);
  const { status, result } = await workshop.run({
    run: "rmdir out; ln -s /etc out",
    command: { outputPaths: ["out/passwd"] },
  });
  assert.equal(status?.code, 9);
  assert.match(status?.message ?? "", /outside the input root/);
  assert.deepEqual(result?.outputFiles, []);
});

test("typed lists that contradict themselves are refused", async (t) => {
  const workshop = await Workshop.open(t);
  for (const [command, message] of [
    [{ outputFiles: ["a"], outputDirectories: ["a"] }, /"a" is declared twice/],
    [{ outputFiles: ["a", "a"] }, /"a" is declared twice/],
    [{ outputFiles: ["a", "a/b"] }, /"a\/b" lies below another output file/],
    [{ outputFiles: [""] }, /is a directory, not a file/],
  ] as const) {
    const { status } = await workshop.run({ run: "true", command });
    assert.equal(status?.code, 3);
    assert.match(status?.message ?? "", message);
  }
  await workshop.result({ run: "true", command: { outputDirectories: ["a", "a/b"], outputFiles: ["a/c"] } });
});

test("what is no file, directory or link cannot be an output", async (t) => {
  const workshop = await Workshop.open(t);
  for (const path of ["pipe", "dir"]) {
    const run = "mkdir dir; mkfifo pipe dir/pipe";
    const { status } = await workshop.run({ run, command: { outputPaths: [path] } });
    assert.equal(status?.code, 9);
    assert.match(status?.message ?? "", /pipe" is no file, directory or link/);
  }
});

test("a file of the input root in the way of an output is the caller's mistake", async (t) => {
  const workshop = await Workshop.open(t);
  const { status } = await workshop.run({
    run: "true",
    command: { outputPaths: ["a/b"] },
    inputs: { a: "file" },
  });
  assert.equal(status?.code, 3);
  assert.match(status?.message ?? "", /in the way of the directory "a"/);
});

test("properties of outputs that were asked for, in the form of the level", async (t) => {
  const run =
    "mkdir out; echo > out/f; ln -s f out/l; chmod 640 out/f; touch -d @1000000000.5 out/f; cp -p out/f g";
  const mtime = { seconds: 1_000_000_000n, nanos: 500_000_000 };
  const current = await Workshop.open(t, { level: "2.2" });
  const outputNodeProperties = ["mtime", "unix_mode"];
  const { outputFiles, outputDirectories } = await current.result({
    run,
    command: { outputPaths: ["g", "out"], outputNodeProperties },
  });
  const expected = codec().create("build.bazel.remote.execution.v2.NodeProperties", {
    mtime,
    unixMode: { value: 0o640 },
  });
  assert.deepEqual(outputFiles[0]?.nodeProperties, expected);
  const { root } = await treeOf(current, outputDirectories[0]);
  assert.deepEqual(root?.files[0]?.nodeProperties, expected);
  assert.equal(typeof root?.nodeProperties?.unixMode?.value, "number");
  assert(root?.symlinks[0]?.nodeProperties?.mtime);

  const older = await Workshop.open(t, { level: "2.1" });
  const legacy = await older.run({
    run,
    command: { outputPaths: ["g"] },
    action: { outputNodeProperties: ["MTime", "UnixMode"] },
  });
  const bytes = codec().encode("build.bazel.remote.execution.v2.ActionResult", legacy.result ?? {});
  const seen = codec("2.1").decode("build.bazel.remote.execution.v2.ActionResult", bytes);
  assert.deepEqual(
    seen.outputFiles[0]?.legacyNodeProperties.map(({ name, value }) => [name, value]),
    [
      ["MTime", "2001-09-09T01:46:40.5Z"],
      ["UnixMode", "0640"],
    ],
  );
  assert.equal(outputFiles[0]?.legacyNodeProperties.length, 0);
});

test("only the properties that were asked for", async (t) => {
  const workshop = await Workshop.open(t);
  const command = { outputPaths: ["f"], outputNodeProperties: ["unix_mode"] };
  const { outputFiles } = await workshop.result({ run: "echo > f", command });
  assert.equal(outputFiles[0]?.nodeProperties?.mtime, null);
  assert(outputFiles[0]?.nodeProperties?.unixMode);
});

test("a property nobody has is refused; one of another level is not seen", async (t) => {
  const workshop = await Workshop.open(t);
  const refused = await workshop.run({ run: "true", command: { outputNodeProperties: ["MTime"] } });
  assert.equal(refused.status?.code, 3);
  assert.match(refused.status?.message ?? "", /no property "MTime"; this server has mtime and unix_mode/);
  const older = await Workshop.open(t, { level: "2.1", client: "main" });
  const command = { outputPaths: ["f"], outputNodeProperties: ["mtime"] };
  const { outputFiles } = await older.result({ run: "echo > f", command });
  assert.equal(outputFiles[0]?.nodeProperties, null);
});
