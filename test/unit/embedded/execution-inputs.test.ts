import assert from "node:assert/strict";
import { test } from "node:test";
import { Workshop } from "./execution-support.ts";

test("a command finds its input root: files, directories, links and who may run", async (t) => {
  const workshop = await Workshop.open(t);
  const output = await workshop.output({
    run: "cat a/b/deep.txt; ./tool; readlink link; cat link; test ! -x top.txt && echo plain; ls -d empty",
    inputs: {
      "top.txt": "top\n",
      tool: { executable: "#!/bin/sh\necho tool ran\n" },
      link: { link: "a/b/deep.txt" },
      a: { directory: { b: { directory: { "deep.txt": "deep\n" } } } },
      empty: { directory: {} },
    },
  });
  assert.equal(output, "deep\ntool ran\na/b/deep.txt\ndeep\nplain\nempty\n");
});

test("the environment is exactly the one of the command", async (t) => {
  const workshop = await Workshop.open(t);
  const output = await workshop.output({
    command: {
      arguments: ["/usr/bin/env"],
      environmentVariables: [
        { name: "EMPTY", value: "" },
        { name: "GREETING", value: "höi = du\nline" },
      ],
    },
  });
  assert.equal(output, "EMPTY=\nGREETING=höi = du\nline\n");
});

test("a command runs in its working directory with nothing on the standard input", async (t) => {
  const workshop = await Workshop.open(t);
  const output = await workshop.output({
    run: "cat; cat here.txt; cat ../beside.txt",
    command: { workingDirectory: "sub/dir" },
    inputs: {
      sub: { directory: { "beside.txt": "beside\n", dir: { directory: { "here.txt": "here\n" } } } },
    },
  });
  assert.equal(output, "here\nbeside\n");
});

test("a command may change its inputs without touching the stored ones", async (t) => {
  const workshop = await Workshop.open(t);
  const inputs = { "a.txt": "before\n" };
  await workshop.output({ run: "echo after > a.txt; cat a.txt", inputs });
  assert.equal(await workshop.output({ run: "cat a.txt", inputs }), "before\n");
});

test("properties of nodes: times and permissions, also of directories and links", async (t) => {
  const workshop = await Workshop.open(t);
  const at = (seconds: bigint) => ({ mtime: { seconds } });
  const output = await workshop.output({
    run: "stat -c '%n %Y %a' file dir dir/inner && stat -c '%n %Y' link",
    command: { outputPaths: ["dir/made/by/server"] },
    inputs: {
      file: {
        text: "x",
        node: {
          nodeProperties: { mtime: { seconds: 1_000_000_000n, nanos: 5 }, unixMode: { value: 0o640 } },
        },
      },
      link: { link: "file", node: { nodeProperties: at(1_300_000_000n) } },
      dir: {
        directory: { inner: { text: "y", node: { nodeProperties: at(1_100_000_000n) } } },
        node: { nodeProperties: { ...at(1_200_000_000n), unixMode: { value: 0o750 } } },
      },
    },
  });
  assert.equal(
    output,
    "file 1000000000 640\ndir 1200000000 750\ndir/inner 1100000000 644\nlink 1300000000\n",
  );
});

test("properties of nodes in the form of 2.0", async (t) => {
  const workshop = await Workshop.open(t, { level: "2.0" });
  const legacyNodeProperties = [
    { name: "MTime", value: "2001-09-09T03:46:40.25+02:00" },
    { name: "UnixMode", value: "0600" },
  ];
  const inputs = { file: { text: "x", node: { legacyNodeProperties } } };
  const command = { arguments: ["/bin/sh", "-c", "stat -c '%.2Y %a' file"] };
  assert.equal(await workshop.output({ command, inputs }), "1000000000.25 600\n");
  const broken = { file: { text: "x", node: { legacyNodeProperties: [{ name: "UnixMode", value: "rw" }] } } };
  const { status } = await workshop.run({ command, inputs: broken });
  assert.equal(status?.code, 3);
  assert.match(status?.message ?? "", /UnixMode of "file" is "rw"/);
});

for (const [level, sees] of [
  ["2018-11", "644"],
  ["2.1", "644"],
  ["2.2", "600"],
] as const) {
  test(`a ${level} server given node properties of 2.2 sees mode ${sees}`, async (t) => {
    const workshop = await Workshop.open(t, { level, client: "main" });
    const file = { text: "x", node: { nodeProperties: { unixMode: { value: 0o600 } } } };
    const { stdoutRaw, stdoutDigest } = await workshop.result({ run: "stat -c %a file", inputs: { file } });
    const printed = stdoutDigest === null ? Buffer.from(stdoutRaw) : await workshop.get(stdoutDigest);
    assert.equal(printed.toString(), `${sees}\n`);
  });
}

for (const name of ["", ".", "..", "a/b", "../../escape", "/etc"]) {
  for (const kind of ["files", "directories", "symlinks"] as const) {
    test(`a ${kind} node called ${JSON.stringify(name)} is refused`, async (t) => {
      const workshop = await Workshop.open(t);
      const digest =
        kind === "directories" ? await workshop.directory({}) : await workshop.put(Buffer.from("x"));
      const node = kind === "symlinks" ? { name, target: "x" } : { name, digest };
      const inputRootDigest = await workshop.directory({}, { [kind]: [node] });
      const { status, result } = await workshop.run({ run: "true", action: { inputRootDigest } });
      assert.equal(status?.code, 3);
      assert.match(status?.message ?? "", /is not a file name/);
      assert.equal(result, null);
    });
  }
}

test("two children of one name are refused", async (t) => {
  const workshop = await Workshop.open(t);
  const digest = await workshop.put(Buffer.from("x"));
  const twice = { files: [{ name: "a", digest }], symlinks: [{ name: "a", target: "b" }] };
  const inputRootDigest = await workshop.directory({}, twice);
  const { status } = await workshop.run({ run: "true", action: { inputRootDigest } });
  assert.equal(status?.code, 3);
  assert.match(status?.message ?? "", /two children called "a"/);
});

for (const [level, code] of [
  ["2.1", 3],
  ["2.2", 0],
] as const) {
  test(`a link target that is not canonical at ${level}`, async (t) => {
    const workshop = await Workshop.open(t, { level });
    const inputs = { a: { link: "b//c" }, d: { link: "e/./f" } };
    const { status } = await workshop.run({ run: "test -h a", inputs });
    assert.equal(status?.code ?? 0, code, status?.message ?? "");
  });
}

test("a working directory that is not in the input root, or leaves it, is refused", async (t) => {
  const workshop = await Workshop.open(t);
  for (const workingDirectory of ["missing", "file", "..", "/tmp", "a/../..", "out/side"]) {
    const inputs = { file: "x", out: { link: "/" } };
    const { status } = await workshop.run({ run: "true", command: { workingDirectory }, inputs });
    assert.equal(status?.code, 3, workingDirectory);
    assert.match(status?.message ?? "", /^working_directory: /);
  }
});

test("a tree whose subtrees are shared is unfolded", async (t) => {
  const workshop = await Workshop.open(t);
  const shared = { directory: { x: "x", y: { directory: { z: "z" } } } };
  const output = await workshop.output({ run: "find . -type f | sort", inputs: { a: shared, b: shared } });
  assert.equal(output, "./a/x\n./a/y/z\n./b/x\n./b/y/z\n");
});

test("a tree that unfolds without end is refused before anything is created", async (t) => {
  const workshop = await Workshop.open(t);
  let directory = await workshop.directory({ x: "x" });
  for (let depth = 0; depth < 30; depth += 1) {
    const directories = ["a", "b", "c"].map((name) => ({ name, digest: directory }));
    directory = await workshop.directory({}, { directories });
  }
  const { status } = await workshop.run({ run: "true", action: { inputRootDigest: directory } });
  assert.equal(status?.code, 3);
  assert.match(status?.message ?? "", /more than \d+ entries/);
});
