import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GET_TREE } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import type { Digest } from "../../../src/wire/digest.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { payloadsOf, textIn } from "../../../src/wire/fields.ts";
import { Status } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { answers, endsIn } from "../served.ts";
import { client, plan, server } from "../support.ts";
import { directoryOf, keyOf, type Plant, planted, reachable, treeRequest } from "./trees.ts";

const without = plan(
  client(),
  server({ missingMethods: [GET_TREE], forms: { "get-tree": { reads: ["absent"] } } }),
);

interface Page {
  readonly directories: string[];
  readonly bytes: number;
  readonly token: string;
}

const pageOf = (message: Buffer): Page => ({
  directories: payloadsOf(message, 1).map(keyOf),
  bytes: message.length,
  token: textIn(message, 2),
});

async function pages(upstream: MemoryUpstream, root: Digest, asked: object = {}): Promise<Page[]> {
  const messages = await collect(answers(without, GET_TREE, [treeRequest(root, asked)], upstream));
  return messages.map(pageOf);
}

const all = (list: readonly Page[]): string[] => list.flatMap(({ directories }) => directories);

const TREE: Plant = {
  a: { deep: { deeper: { file: "1" } }, same: { file: "2" } },
  b: { same: { file: "2" }, file: "3" },
  c: {},
};

test("given a server without GetTree, then the tree comes breadth first, each directory once, as it is stored", async () => {
  const upstream = new MemoryUpstream();
  const root = planted(upstream, TREE);
  const [page, ...others] = await pages(upstream, root);
  assert.deepEqual(others, []);
  assert.equal(page!.token, "");
  const names = ["", "a", "b", "c", "a/deep", "a/same", "a/deep/deeper"];
  assert.equal(page!.directories.length, names.length);
  assert.equal(page!.directories[0], keyOf(upstream.blobs.get(`${root.hash}/${root.sizeBytes}`)!));
  assert.deepEqual(new Set(page!.directories), reachable(upstream, root));
});

test("given fields that nobody knows in a directory, then they are there in the answer", async () => {
  const upstream = new MemoryUpstream();
  const unknown = new FieldWriter();
  unknown.text(500, "of tomorrow");
  const child = upstream.put(Buffer.concat([directoryOf({}, () => assert.fail()), unknown.toBuffer()]));
  const node = new FieldWriter();
  node.text(1, "child");
  const digest = new FieldWriter();
  digest.text(1, child.hash);
  digest.varint(2, child.sizeBytes);
  node.message(2, digest.finish());
  const directory = new FieldWriter();
  directory.message(2, node.finish());
  const root = upstream.put(directory.toBuffer());
  assert.deepEqual(all(await pages(upstream, root)), [
    `${root.hash}/${root.sizeBytes}`,
    `${child.hash}/${child.sizeBytes}`,
  ]);
});

test("given a missing directory, then it is left out with what only it leads to; a missing root is NOT_FOUND", async () => {
  const upstream = new MemoryUpstream();
  const root = planted(upstream, TREE);
  upstream.blobs.delete(keyOf(directoryOf(TREE["a"] as Plant, (bytes) => upstream.put(bytes))));
  assert.equal(all(await pages(upstream, root)).length, 4);
  upstream.blobs.delete(`${root.hash}/${root.sizeBytes}`);
  const [code] = await endsIn(pages(upstream, root));
  assert.equal(code, Status.NOT_FOUND);
});

test("given a root that is no Directory, or a request that makes no sense, then the caller is told what is wrong", async () => {
  const upstream = new MemoryUpstream();
  const text = upstream.put("\x12\x05abcde");
  const root = planted(upstream, TREE);
  const cases: readonly [Digest, object, RegExp][] = [
    [text, {}, /^root_digest names .* is no Directory/],
    [{ hash: "12", sizeBytes: 3 }, {}, /hash/],
    [root, { pageSize: -1 }, /page_size is negative/],
    [root, { pageToken: "7" }, /page_token is none that this bridge made/],
    [root, { pageToken: "rb1-0-0000000000000000" }, /page_token is none/],
  ];
  for (const [digest, asked, expected] of cases) {
    const [code, message] = await endsIn(pages(upstream, digest, asked));
    assert.equal(code, Status.INVALID_ARGUMENT, message);
    assert.match(message, expected);
  }
});

test("given a failure of the upstream, then it is passed on and no answer", async () => {
  class Denied extends MemoryUpstream {
    override async readBlob(): Promise<Buffer> {
      throw new UpstreamError(Status.PERMISSION_DENIED, "not yours");
    }
  }
  const upstream = new Denied();
  assert.deepEqual(await endsIn(pages(upstream, planted(upstream, TREE))), [
    Status.PERMISSION_DENIED,
    "not yours",
  ]);
});

test("given a size of pages, then no response has more, and each token leads to the rest", async () => {
  const upstream = new MemoryUpstream();
  const root = planted(upstream, TREE);
  const whole = all(await pages(upstream, root));
  for (const pageSize of [1, 2, 3, 100]) {
    const list = await pages(upstream, root, { pageSize });
    assert.ok(list.every(({ directories }) => directories.length <= pageSize));
    assert.deepEqual(all(list), whole);
    let seen = 0;
    for (const { directories, token } of list) {
      seen += directories.length;
      if (token === "") continue;
      const rest = await pages(upstream, root, { pageSize, pageToken: token });
      assert.deepEqual(all(rest), whole.slice(seen));
    }
  }
});

test("given no size of pages, then responses end after a mebibyte", async () => {
  const upstream = new MemoryUpstream();
  const wide = Object.fromEntries(
    Array.from({ length: 40 }, (_, n) => [
      `d${n}`,
      Object.fromEntries(Array.from({ length: 900 }, (_, m) => [`${n}-${m}`.padEnd(40, "x"), `${n} ${m}`])),
    ]),
  );
  const list = await pages(upstream, planted(upstream, wide));
  assert.ok(list.length > 3, String(list.length));
  assert.ok(list.every(({ bytes }) => bytes <= (1 << 20) + 100));
  assert.equal(all(list).length, 41);
});

test("given directories that come and go between pages, then none is missed", async () => {
  const upstream = new MemoryUpstream();
  const root = planted(upstream, TREE);
  const [first] = await pages(upstream, root, { pageSize: 5 });
  const key = keyOf(directoryOf(TREE["b"] as Plant, (bytes) => upstream.put(bytes)));
  const lost = upstream.blobs.get(key)!;
  // Already sent: what is left is not what the token was made for, and all that is there comes again.
  upstream.blobs.delete(key);
  const again = await pages(upstream, root, { pageToken: first!.token });
  assert.deepEqual(all(again), [...reachable(upstream, root)].sort(byWalk(all(await pages(upstream, root)))));
  // Not sent yet: the place is the same, and it is left out.
  upstream.blobs.set(key, lost);
  const [start] = await pages(upstream, root, { pageSize: 1 });
  upstream.blobs.delete(key);
  const rest = all(await pages(upstream, root, { pageToken: start!.token }));
  assert.ok(!rest.includes(key) && !rest.includes(all([start!])[0]!));
});

function byWalk(order: readonly string[]) {
  return (a: string, b: string) => order.indexOf(a) - order.indexOf(b);
}

test("given more directories than the bridge walks, then the tree is refused by name", async () => {
  class Endless extends MemoryUpstream {
    /** A directory of 1000 others, and each of these likewise. */
    override async *readBlobs(digests: readonly Digest[]) {
      for (const digest of digests) {
        const out = new FieldWriter();
        for (let n = 0; n < 1000; n++) {
          const child = new FieldWriter();
          child.text(1, digest.hash.slice(0, 32) + String(this.next++).padStart(32, "0"));
          child.varint(2, 10);
          const node = new FieldWriter();
          node.text(1, String(n));
          node.message(2, child.finish());
          out.message(2, node.finish());
        }
        yield { digest, bytes: out.toBuffer() };
      }
    }
    private next = 0;
  }
  const [code, message] = await endsIn(pages(new Endless(), { hash: "ab".repeat(32), sizeBytes: 10 }));
  assert.equal(code, Status.INVALID_ARGUMENT);
  assert.match(message, /A tree of more than 100000 directories .*request-unsupported, D21/);
});

test("given a server whose directories contain themselves, as only a wrong one has, then the walk ends", async () => {
  class Circle extends MemoryUpstream {
    override async *readBlobs(digests: readonly Digest[]) {
      for (const digest of digests) {
        const inner = new FieldWriter();
        inner.text(1, digest.hash);
        inner.varint(2, digest.sizeBytes);
        const node = new FieldWriter();
        node.text(1, "self");
        node.message(2, inner.finish());
        const out = new FieldWriter();
        out.message(2, node.finish());
        yield { digest, bytes: out.toBuffer() };
      }
    }
  }
  const list = await pages(new Circle(), { hash: "ab".repeat(32), sizeBytes: 10 });
  assert.equal(all(list).length, 1);
});

test("whatever the tree, the walk has all that can be reached, once, and any token resumes it", async () => {
  const plant: fc.Arbitrary<Plant> = fc.letrec<{ plant: Plant }>((tie) => ({
    plant: fc.dictionary(
      fc.constantFrom("a", "b", "c", "d"),
      fc.oneof({ depthSize: "small", maxDepth: 5 }, fc.constantFrom("x", "y"), tie("plant")),
      { maxKeys: 4 },
    ),
  })).plant;
  await fc.assert(
    fc.asyncProperty(plant, fc.integer({ min: 0, max: 4 }), fc.nat(), async (tree, pageSize, gone) => {
      const upstream = new MemoryUpstream();
      const root = planted(upstream, tree);
      const keys = [...upstream.blobs.keys()].filter((key) => key !== `${root.hash}/${root.sizeBytes}`);
      if (gone % 3 === 0 && keys.length > 0) upstream.blobs.delete(keys[gone % keys.length]!);
      const list = await pages(upstream, root, { pageSize });
      const walked = all(list);
      assert.deepEqual(new Set(walked), reachable(upstream, root));
      assert.equal(new Set(walked).size, walked.length);
      let seen = 0;
      for (const { directories, token } of list) {
        seen += directories.length;
        if (token !== "")
          assert.deepEqual(all(await pages(upstream, root, { pageToken: token })), walked.slice(seen));
      }
    }),
    { numRuns: 200 },
  );
});
