import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Plan } from "../../../src/plan/plan.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import {
  captured,
  cut,
  decodeResult,
  encodeCommand,
  encodeResult,
  file,
  inMessage,
  link,
  type Result,
  type Shape,
} from "../output-trees.ts";
import { client, originals, plan, resultOf, server } from "../support.ts";

const OLD = server({ level: "2.0" });
/** The client has no attributes of files to be given another form: nobody else looks into Trees then. */
const pair = plan(client({ level: "2.12", forms: { "node-properties": { reads: ["none"] } } }), OLD);
const NEVER = ".reapi-bridge-never-created";

interface Given {
  readonly outputPaths: readonly string[];
  readonly workingDirectory?: string;
  /** Captured directories by path. */
  readonly captures?: Readonly<Record<string, Shape>>;
  readonly result?: Result;
  readonly made?: Plan;
}

/** The result as the client gets it: first and, which must be the same buffer, a second time. */
async function received({
  outputPaths,
  workingDirectory = "",
  captures = {},
  result = {},
  made = pair,
}: Given) {
  const port = new MemoryUpstream();
  const outputDirectories = Object.entries(captures).map(([path, shape]) => captured(port, path, shape));
  const bytes = encodeResult({
    ...result,
    outputDirectories: [...(result.outputDirectories ?? []), ...outputDirectories],
  });
  const command = encodeCommand({ outputPaths: [...outputPaths], workingDirectory });
  const of = originals(port, { command });
  const once = await resultOf(made, bytes, of);
  assert.equal(await resultOf(made, once, of), once, "a second time changes nothing");
  for (const { treeDigest } of decodeResult(once).outputDirectories)
    assert.deepEqual(
      await port.findMissing([{ hash: treeDigest!.hash, sizeBytes: Number(treeDigest!.sizeBytes) }]),
      [],
    );
  return { once, bytes };
}

test("given a captured directory, then the outputs that were asked for are cut out of it, and the rest is not the client's", async () => {
  const tree = { d: { e: { x: "file" }, y: "program" }, f: "file", p: "program", l: "-> f", other: "file" };
  const { once } = await received({
    outputPaths: ["out/d", "out/f", "out/gone", "out/l", "out/p"],
    captures: { out: tree },
    result: { exitCode: 3 },
  });
  assert.deepEqual(
    once,
    encodeResult({
      exitCode: 3,
      outputFiles: [file("out/f"), file("out/p", true)],
      outputDirectories: [cut("out/d", tree.d)],
      outputSymlinks: [link("out/l", "f")],
    }),
  );
});

test("given outputs of several directories, some of which were never made, then each is cut out of its own", async () => {
  const { once } = await received({
    outputPaths: ["a/b/x", "c/y", "never/z"],
    captures: { "a/b": { x: "file" }, c: { y: { z: "file" } } },
  });
  assert.deepEqual(
    once,
    encodeResult({ outputFiles: [file("a/b/x")], outputDirectories: [cut("c/y", { z: "file" })] }),
  );
});

test("given outputs within one another and at the top, then each is there by itself", async () => {
  const tree = { a: { b: { x: "file" } }, f: "file" };
  const { once } = await received({ outputPaths: ["a", "a/b", "a/b/x", "f"], captures: { "": tree } });
  assert.deepEqual(
    once,
    encodeResult({
      outputFiles: [file("a/b/x"), file("f")],
      outputDirectories: [cut("a", tree.a), cut("a/b", tree.a.b)],
    }),
  );
});

test("given the working directory itself among the paths, then the captured Tree is its output as it is", async () => {
  const whole = { f: "file" };
  const { once, bytes } = await received({ outputPaths: [""], captures: { "": whole } });
  assert.equal(once, bytes);
  const more = await received({ outputPaths: ["", "f"], captures: { "": whole } });
  const { outputFiles, outputDirectories } = decodeResult(more.once);
  assert.deepEqual(
    [outputFiles.map(({ path }) => path), outputDirectories.map(({ path }) => path)],
    [["f"], [""]],
  );
  const dot = await received({ outputPaths: ["."], captures: { "": whole } });
  const renamed = { path: ".", treeDigest: captured(new MemoryUpstream(), "", whole).treeDigest };
  assert.deepEqual(dot.once, encodeResult({ outputDirectories: [renamed] }));
});

test("given paths that are not spelled as the server would, then the client finds them under its own spelling", async () => {
  const { once } = await received({
    outputPaths: ["../u/x", "./a//y"],
    workingDirectory: "w",
    captures: { "../u": { x: "file" }, a: { y: "file" } },
  });
  assert.deepEqual(once, encodeResult({ outputFiles: [file("../u/x"), file("./a//y")] }));
});

test("given a result in the client's form, then it is the same buffer", async () => {
  for (const result of [
    { outputFiles: [file("out/x")], outputSymlinks: [link("out/y", "x")] },
    { exitCode: 1 },
    { outputDirectories: [captured(new MemoryUpstream(), "elsewhere", {})] },
  ]) {
    const bytes = encodeResult(result);
    const command = encodeCommand({ outputPaths: ["out/x", "out/y"] });
    assert.equal(await resultOf(pair, bytes, originals(new MemoryUpstream(), { command })), bytes);
  }
});

test("given outputs that are there already, then they stay as they are", async () => {
  const own = { ...file("out/x"), contents: Buffer.from("inlined") };
  const { once } = await received({
    outputPaths: ["out/x", "out/y"],
    captures: { out: { x: "program", y: "file" } },
    result: { outputFiles: [own] },
  });
  assert.deepEqual(once, encodeResult({ outputFiles: [own, file("out/y")] }));
});

test("given a command that made the file that nobody makes, then it is not the client's", async () => {
  const { once } = await received({
    outputPaths: ["out/x"],
    captures: { out: { x: "file", [NEVER]: "file" } },
    result: { outputFiles: [file(`out/${NEVER}`)] },
  });
  assert.deepEqual(once, encodeResult({ outputFiles: [file("out/x")] }));
});

test("given an unknown Command, or one that was not captured, then the result is the same buffer", async () => {
  const port = new MemoryUpstream();
  const bytes = encodeResult({ outputDirectories: [captured(port, "out", { x: "file" })] });
  for (const command of [
    null,
    encodeCommand({ outputDirectories: ["out"] }),
    encodeCommand({ outputPaths: ["out/x"], outputDirectories: ["out"] }),
    encodeCommand({ outputPaths: ["out/x", "../../x"] }),
  ])
    assert.equal(await resultOf(pair, bytes, originals(port, { command })), bytes);
});

test("given links, then they are in the lists that the client reads, by what they lead to", async () => {
  const captures = { out: { d: {}, f: "file", "to-d": "-> d", "to-f": "-> f", "to-x": "-> /x" } };
  const outputPaths = ["out/to-d", "out/to-f", "out/to-x"];
  const links = [link("out/to-d", "d"), link("out/to-f", "f"), link("out/to-x", "/x")];
  const typed: Result = { outputFileSymlinks: links.slice(1), outputDirectorySymlinks: links.slice(0, 1) };
  const cases = [
    [["unified"], { outputSymlinks: links }],
    [["declared", "typed"], { outputSymlinks: links }],
    [["typed"], typed],
    [["both"], { ...typed, outputSymlinks: links }],
    [["none"], { outputFiles: [file("out/to-f")], outputDirectories: [cut("out/to-d", {})] }],
  ] as const;
  for (const [reads, expected] of cases) {
    const made = plan(client({ forms: { "output-symlinks": { reads: [...reads] } } }), OLD);
    const { once } = await received({ outputPaths, captures, made });
    assert.deepEqual(once, encodeResult(expected), reads.join());
  }
});

test("given a client that reads no links and dies on files that it did not ask for, then it asked for what a link leads to", async () => {
  const facts = { results: { unaskedFiles: "fatal", evidence: "the test" } } as const;
  const made = plan(client({ facts, forms: { "output-symlinks": { reads: ["none"] } } }), OLD);
  const captures = { out: { d: {}, f: "file", "to-d": "-> d", "to-f": "-> f" } };
  const { once } = await received({ outputPaths: ["out/to-d", "out/to-f"], captures, made });
  assert.deepEqual(
    once,
    encodeResult({ outputFiles: [file("out/to-f")], outputDirectories: [cut("out/to-d", {})] }),
  );
});

test("given an output behind a link within the captured directory, then it is found as the command finds it", async () => {
  const captures = { out: { real: { x: "file" }, link: "-> real" } };
  const { once } = await received({ outputPaths: ["out/link/x", "out/y"], captures });
  assert.deepEqual(once, encodeResult({ outputFiles: [file("out/link/x")] }));
});

test("given attributes of files, in the form of either revision, then outputs have them", async () => {
  // A Directory: file f with node_properties in 5 (2.0) and 6 (2.2); symlink l with 3 and 4; each holds 0a01 and a letter.
  const node = Buffer.from("0a01662a030a016132030a0162", "hex");
  const symlink = Buffer.from("0a016c1201661a030a016322030a0164", "hex");
  const root = Buffer.concat([
    Buffer.from([0x0a, node.length]),
    node,
    Buffer.from([0x1a, symlink.length]),
    symlink,
  ]);
  const port = new MemoryUpstream();
  const tree = port.put(Buffer.concat([Buffer.from([0x0a, root.length]), root]));
  const bytes = encodeResult({ outputDirectories: [{ path: "o", treeDigest: inMessage(tree) }] });
  const command = encodeCommand({ outputPaths: ["o/f", "o/l"] });
  const made = plan(client({ forms: { "node-properties": { reads: ["none", "list", "message"] } } }), OLD);
  const result = await resultOf(made, bytes, originals(port, { command }));
  // OutputFile: path, 6 and 7; OutputSymlink in 12: path, target, 3 and 4.
  assert.equal(
    result.toString("hex"),
    "120f0a036f2f6632030a01613a030a0162" + "62120a036f2f6c1201661a030a016322030a0164",
  );
});

test("given a captured directory that the command replaced by a link, then that is an error, and no outputs that are missing", async () => {
  for (const result of [
    { outputDirectorySymlinks: [link("out", "elsewhere")] },
    { outputSymlinks: [link("out", "elsewhere")] },
  ])
    await assert.rejects(received({ outputPaths: ["out/x"], result }), {
      name: "BridgeError",
      message: /within the directory "out", in place of which the command left a link \(API 2\.1\)/,
    });
});

test("given a Tree that is longer than is read, or none, then that is an error by name, and nothing is read", async () => {
  const digest = (sizeBytes: bigint) => ({ hash: "cd".repeat(32), sizeBytes });
  const large = { path: "out", treeDigest: digest((64n << 20n) + 1n) };
  for (const [directory, why] of [
    [large, /within the directory "out" with a Tree of 67108865 bytes, more than 67108864 \(API 2\.1\)/],
    [{ path: "out", rootDirectoryDigest: digest(3n) }, /without a Tree/],
  ] as const)
    await assert.rejects(
      received({ outputPaths: ["out/x"], result: { outputDirectories: [directory] } }),
      (error) => {
        assert.ok(error instanceof BridgeError);
        assert.deepEqual([error.facts.code, error.facts.field], ["output-unsupported", "output_paths"]);
        assert.match(error.message, why);
        return true;
      },
    );
});

test("given broken bytes, then the result is broken", async () => {
  const port = new MemoryUpstream();
  const tree = inMessage(port.put(Buffer.from("0a05ff", "hex")));
  const bytes = encodeResult({ outputDirectories: [{ path: "out", treeDigest: tree }] });
  const of = originals(port, { command: encodeCommand({ outputPaths: ["out/x"] }) });
  await assert.rejects(resultOf(pair, bytes, of), { name: "WireError" });
  await assert.rejects(resultOf(pair, Buffer.from("1a05ff", "hex"), of), { name: "WireError" });
});

const NAMES = ["a", "b", "c"];
const shapes = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.dictionary(
    fc.constantFrom(...NAMES),
    fc.oneof({ depthSize: "small" }, fc.constantFrom("file", "program", "-> a", "-> ../b"), tie("shape")),
  ),
})).shape;

/** All that lies below, by path: what a server that reads output_paths lists for every one of them. */
function listing(shape: Shape, under: string): Listing {
  const all: Listing = { outputFiles: [], outputDirectories: [], outputSymlinks: [] };
  for (const [name, child] of Object.entries(shape)) {
    const path = `${under}${name}`;
    if (typeof child !== "string") {
      const inner = listing(child, `${path}/`);
      all.outputDirectories.push(cut(path, child), ...inner.outputDirectories);
      all.outputFiles.push(...inner.outputFiles);
      all.outputSymlinks.push(...inner.outputSymlinks);
    } else if (child.startsWith("-> ")) all.outputSymlinks.push(link(path, child.slice(3)));
    else all.outputFiles.push(file(path, child === "program"));
  }
  for (const list of Object.values(all))
    list.sort((a: Named, b: Named) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  return all;
}

interface Named {
  readonly path: string;
}

interface Listing {
  readonly outputFiles: ReturnType<typeof file>[];
  readonly outputDirectories: ReturnType<typeof cut>[];
  readonly outputSymlinks: ReturnType<typeof link>[];
}

test("a captured directory out of which everything is cut is what a server of output_paths lists", async () => {
  await fc.assert(
    fc.asyncProperty(shapes, fc.constantFrom("", "out/"), async (shape, under) => {
      const expected = listing(shape, under);
      const paths = Object.values(expected).flatMap((list: Named[]) => list.map(({ path }) => path));
      const outputPaths = [...paths, `${under}gone`];
      const { once } = await received({ outputPaths, captures: { [under.slice(0, -1)]: shape } });
      assert.deepEqual(once, encodeResult(expected));
    }),
    { numRuns: 200 },
  );
});
