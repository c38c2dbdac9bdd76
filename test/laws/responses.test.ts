import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../src/plan/plan.ts";
import { editResponse } from "../../src/plan/run-hooks.ts";
import { codec } from "../../src/spec/codec.ts";
import { LEVELS } from "../../src/spec/versions.ts";
import {
  BATCH_READ_BLOBS,
  BATCH_UPDATE_BLOBS,
  FIND_MISSING_BLOBS,
  GET_ACTION_RESULT,
  GET_TREE,
  READ,
} from "../../src/translators/methods.ts";
import { MemoryUpstream } from "../support/memory-upstream.ts";
import { call, client, originals, plan, resultOf, server } from "../translators/support.ts";

// Laws of what comes back, for every pair of levels.

const V2 = "build.bazel.remote.execution.v2";
const oldest = codec("2018-11");
const DIGEST = { hash: "0123456789abcdef".repeat(4), sizeBytes: 3n };
const LINK = { path: "a/link", target: "file" };

const RESULT = oldest.encode(`${V2}.ActionResult`, {
  outputFiles: [{ path: "a/file", digest: DIGEST, isExecutable: true }],
  outputDirectories: [{ path: "d", treeDigest: DIGEST }],
  exitCode: 1,
  stdoutRaw: Buffer.from("out"),
});

/** A store that has the blob of the result, which is a Tree with a field that nobody knows. */
const STORE = new MemoryUpstream();
STORE.blobs.set(`${DIGEST.hash}/3`, Buffer.from("a21f00", "hex"));

/** Responses in which every level sees the same. */
const COMMON: ReadonlyMap<string, Buffer> = new Map([
  [FIND_MISSING_BLOBS, oldest.encode(`${V2}.FindMissingBlobsResponse`, { missingBlobDigests: [DIGEST] })],
  [BATCH_UPDATE_BLOBS, oldest.encode(`${V2}.BatchUpdateBlobsResponse`, { responses: [{ digest: DIGEST }] })],
  [
    BATCH_READ_BLOBS,
    oldest.encode(`${V2}.BatchReadBlobsResponse`, { responses: [{ digest: DIGEST, status: { code: 5 } }] }),
  ],
  [
    GET_TREE,
    oldest.encode(`${V2}.GetTreeResponse`, { directories: [{ files: [{ name: "a", digest: DIGEST }] }] }),
  ],
  [READ, oldest.encode("google.bytestream.ReadResponse", { data: Buffer.from("abc") })],
  [GET_ACTION_RESULT, RESULT],
]);

/** Results with links, as servers of one kind or another leave them. */
const LINKED = [
  { outputFileSymlinks: [LINK] },
  { outputDirectorySymlinks: [LINK] },
  { outputSymlinks: [LINK] },
  { outputFileSymlinks: [LINK], outputSymlinks: [LINK] },
].map((result) => codec().encode(`${V2}.ActionResult`, { exitCode: 2, ...result }));

const editResult = (made: Plan, result: Buffer): Promise<Buffer> =>
  resultOf(made, result, originals(new MemoryUpstream()));

const translatesLinks = ({ decisions }: Plan): boolean =>
  decisions.some(({ feature, verdict }) => feature === "output-symlinks" && verdict === "translate");

for (const from of LEVELS) {
  test(`a client of ${from} gets what every level sees alike as the same buffer`, async () => {
    for (const to of LEVELS) {
      const pair = plan(client({ level: from }), server({ level: to }));
      for (const [path, message] of COMMON) {
        const method = pair.methods.get(path);
        const edited =
          method === undefined ? message : await editResponse(method, message, call(path, STORE));
        assert.equal(edited, message, `${path} from a server of ${to}`);
      }
      assert.equal(await editResult(pair, RESULT), RESULT, `a result of ${to}`);
    }
  });

  test(`a client of ${from} sees each link once, in the list it reads; a second edit changes nothing`, async () => {
    for (const to of LEVELS) {
      const pair = plan(client({ level: from }), server({ level: to }));
      for (const result of LINKED) {
        const seen = await editResult(pair, result);
        assert.equal(await editResult(pair, seen), seen, `a result of ${to}`);
        if (!translatesLinks(pair)) continue;
        const before = codec().decode(`${V2}.ActionResult`, result);
        const after = codec(from).decode(`${V2}.ActionResult`, seen);
        const read =
          from === "2018-11" || from === "2.0"
            ? [...after.outputFileSymlinks, ...after.outputDirectorySymlinks]
            : after.outputSymlinks;
        assert.deepEqual(
          read.map(({ path }) => path),
          [LINK.path],
          `a result of ${to}`,
        );
        assert.equal(after.exitCode, before.exitCode);
      }
    }
  });
}
