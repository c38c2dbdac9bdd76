import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { SPLICE_BLOB, SPLIT_BLOB } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import type { Digest } from "../../../src/wire/digest.ts";
import { Status, type StatusCode } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { endsIn, exchanged } from "../served.ts";
import { call, client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";

const message = ({ hash, sizeBytes }: Digest) => ({ hash, sizeBytes: BigInt(sizeBytes) });
const splitRequest = (blob: Digest) =>
  codec().encode(`${V2}.SplitBlobRequest`, { blobDigest: message(blob) });
const spliceRequest = (blob: Digest | null, chunks: Digest[]) =>
  codec().encode(`${V2}.SpliceBlobRequest`, {
    blobDigest: blob && message(blob),
    chunkDigests: chunks.map(message),
  });

const chunked = { chunking: { reads: ["chunks", "splits", "splices", "whole"] } };
const withCodes = plan(
  client(),
  server({
    level: "2.3",
    forms: chunked,
    facts: {
      chunking: {
        announced: "yes",
        unknownManifest: "FAILED_PRECONDITION",
        missingChunk: "INVALID_ARGUMENT",
        evidence: "the test",
      },
    },
  }),
);

const ends = (code: StatusCode) =>
  // biome-ignore lint/correctness/useYield: it only fails
  async function* (): AsyncGenerator<Buffer> {
    throw new UpstreamError(code, "the upstream's own words");
  };

const GONE = { hash: "ab".repeat(32), sizeBytes: 5 };

test("given a server that refuses to name the chunks of a blob it never cut, then the client hears NOT_FOUND", async () => {
  const upstream = new MemoryUpstream();
  const stored = upstream.put("whole");
  for (const code of [Status.FAILED_PRECONDITION, Status.INVALID_ARGUMENT]) {
    const [told] = await endsIn(
      exchanged(withCodes, SPLIT_BLOB, [splitRequest(stored)], upstream, ends(code)),
    );
    assert.equal(told, Status.NOT_FOUND);
    // What is wrong otherwise stays as the upstream says it.
    for (const blob of [GONE, { hash: "12", sizeBytes: 5 }]) {
      const answer = exchanged(withCodes, SPLIT_BLOB, [splitRequest(blob)], upstream, ends(code));
      assert.deepEqual(await endsIn(answer), [code, "the upstream's own words"]);
    }
  }
  const other = exchanged(withCodes, SPLIT_BLOB, [splitRequest(stored)], upstream, ends(Status.UNAVAILABLE));
  assert.deepEqual(await endsIn(other), [Status.UNAVAILABLE, "the upstream's own words"]);
});

test("given a server that refuses to splice for want of a chunk, then NOT_FOUND names it", async () => {
  const upstream = new MemoryUpstream();
  const stored = upstream.put("here ");
  const forward = ends(Status.INVALID_ARGUMENT);
  const missing = exchanged(withCodes, SPLICE_BLOB, [spliceRequest(GONE, [stored, GONE])], upstream, forward);
  assert.deepEqual(await endsIn(missing), [Status.NOT_FOUND, `the chunk ${GONE.hash}/5 is not stored`]);
  const wrong = exchanged(withCodes, SPLICE_BLOB, [spliceRequest(GONE, [stored])], upstream, forward);
  assert.deepEqual(await endsIn(wrong), [Status.INVALID_ARGUMENT, "the upstream's own words"]);
});

test("given an answer, then it passes as it is", async () => {
  const answer = hex("0a 02 0a 00 10 01");
  const forward = async function* () {
    yield answer;
  };
  const upstream = new MemoryUpstream();
  const [seen] = await collect(exchanged(withCodes, SPLIT_BLOB, [splitRequest(GONE)], upstream, forward));
  assert.deepEqual(seen, answer);
});

test("given a client of a draft that does not name the blob, then a server of 2.12 is told it", async () => {
  const pair = plan(client({ forms: { chunking: { writes: ["unnamed"] } } }), server());
  const method = pair.methods.get(SPLICE_BLOB)!;
  const upstream = new MemoryUpstream();
  const chunks = [upstream.put("one "), upstream.put("two")];
  const blob = new MemoryUpstream().put("one two");
  const edit = (request: Buffer) => editRequest(method, request, call(SPLICE_BLOB, upstream));
  assert.deepEqual(await edit(spliceRequest(null, chunks)), spliceRequest(blob, chunks));
  const given = spliceRequest(blob, chunks);
  assert.equal(await edit(given), given);
  const [code] = await endsIn(edit(spliceRequest(null, [GONE])));
  assert.equal(code, Status.NOT_FOUND);
});
