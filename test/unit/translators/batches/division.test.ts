import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ServerFacts } from "../../../../src/peers/profile.ts";
import { codec } from "../../../../src/spec/codec.ts";
import { divideFindMissing } from "../../../../src/translators/batches/find-missing.ts";
import { divideRead } from "../../../../src/translators/batches/reads.ts";
import { divideUpdate } from "../../../../src/translators/batches/updates.ts";
import {
  BATCH_READ_BLOBS,
  BATCH_UPDATE_BLOBS,
  FIND_MISSING_BLOBS,
} from "../../../../src/translators/methods.ts";
import type { Pair } from "../../../../src/translators/translator.ts";
import { UpstreamError } from "../../../../src/upstream/upstream-error.ts";
import { FieldWriter } from "../../../../src/wire/field-writer.ts";
import { Status } from "../../../../src/wire/status.ts";
import { sha256, V2 } from "../../../support/reapi-client.ts";
import { TestBudget } from "../../../support/test-budget.ts";
import { client, server } from "../../../translators/support.ts";
import { answerOf, keyOf, LimitedStore, one } from "./support.ts";

const evidence = "the test";

function pairOf(facts: ServerFacts): Pair {
  return { client: client(), server: server({ facts }) };
}

/** A server with a limit, as the bridge knows it and as it is. */
const limited = fc
  .record({
    batch: fc.integer({ min: 400, max: 6000 }),
    counts: fc.constantFrom("blobs", "message", undefined),
    message: fc.integer({ min: 600, max: 9000 }),
  })
  .map(({ batch, counts, message }) => ({
    pair: pairOf({
      batchLimit: { announced: batch, ...(counts && { counts }), evidence },
      messageLimit: { is: message, evidence },
    }),
    // One that does not say what counts may count either.
    store: () => new LimitedStore({ batch, blobsOnly: counts === "blobs", message }),
  }));

const contents = fc.array(
  fc.record({
    size: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 12_000 })),
    seed: fc.integer({ min: 0, max: 15 }),
    wrong: fc.boolean(),
  }),
  { maxLength: 40 },
);

const blobOf = ({ size, seed }: { size: number; seed: number }) =>
  Buffer.alloc(size, String.fromCharCode(97 + seed));

test("an update of any size tells of each blob what it is told by itself, in order, within the limits of the server", async () => {
  await fc.assert(
    fc.asyncProperty(limited, contents, async ({ pair, store: open }, given) => {
      const store = open();
      const requests = given.map((content) => {
        const data = blobOf(content);
        // Its own content, or as many other bytes.
        return {
          digest: sha256(content.wrong ? Buffer.alloc(data.length, "?") : data),
          data,
          wrong: content.wrong && data.length > 0,
        };
      });
      const request = codec().encode(`${V2}.BatchUpdateBlobsRequest`, { instanceName: "main", requests });
      const answer = await answerOf(
        divideUpdate(one(request), store.call(BATCH_UPDATE_BLOBS), pair, store.forward("BatchUpdateBlobs")),
      );
      const { responses } = codec().decode(`${V2}.BatchUpdateBlobsResponse`, answer);
      // The server may answer a request that fits in its own order.
      const whole = store.forwarded[0] === request;
      const said = responses.map(({ digest, status }) => `${keyOf(digest)} ${status?.code ?? 0}`);
      const expected = requests.map(
        ({ digest, wrong }) => `${keyOf(digest)} ${wrong ? Status.INVALID_ARGUMENT : 0}`,
      );
      if (whole) assert.deepEqual(said.sort(), expected.sort());
      else assert.deepEqual(said, expected);
      for (const { digest, wrong } of requests)
        assert.ok(wrong || store.port.blobs.has(keyOf(digest)), "a blob is not stored");
    }),
    { numRuns: 200 },
  );
});

test("a read of any size gives each blob as it is given by itself, in order, within the limits of the server", async () => {
  await fc.assert(
    fc.asyncProperty(limited, contents, async ({ pair, store: open }, given) => {
      const store = open();
      const asked = given.map((content) => {
        const data = blobOf(content);
        if (!content.wrong) store.port.put(data);
        return { digest: sha256(data), data };
      });
      const digests = asked.map(({ digest }) => ({ hash: digest.hash, sizeBytes: BigInt(digest.sizeBytes) }));
      const request = codec().encode(`${V2}.BatchReadBlobsRequest`, { digests, acceptableCompressors: [1] });
      const answer = await answerOf(
        divideRead(one(request), store.call(BATCH_READ_BLOBS), pair, store.forward("BatchReadBlobs")),
      );
      const { responses } = codec().decode(`${V2}.BatchReadBlobsResponse`, answer);
      const whole = store.forwarded[0] === request;
      const said = responses.map(
        ({ digest, data, status }) => `${keyOf(digest)} ${status?.code ?? 0} ${sha256(data as Buffer).hash}`,
      );
      const nothing = sha256("").hash;
      const expected = asked.map(({ digest }) => {
        const there = store.port.blobs.has(keyOf(digest)) || (digest.sizeBytes === 0 && !whole);
        return there
          ? `${keyOf(digest)} 0 ${digest.hash}`
          : `${keyOf(digest)} ${Status.NOT_FOUND} ${nothing}`;
      });
      const known = (line: string): boolean => !line.startsWith(`${nothing}/0`);
      if (whole) assert.deepEqual(said.sort(), expected.sort());
      // The empty blob may be had even where it was not stored.
      else assert.deepEqual(said.filter(known), expected.filter(known));
      assert.equal(said.length, expected.length);
      // What is divided keeps its other fields.
      for (const part of store.forwarded)
        assert.deepEqual(codec().decode(`${V2}.BatchReadBlobsRequest`, part).acceptableCompressors, [1]);
    }),
    { numRuns: 200 },
  );
});

test("100,000 digests are asked about in as many calls as it takes, and answered in the order of the request", async () => {
  const store = new LimitedStore({ batch: 1, blobsOnly: true, message: 4 << 20 });
  const digests = Array.from({ length: 100_000 }, (_, at) => ({
    hash: at.toString(16).padStart(64, "0"),
    sizeBytes: BigInt(at),
  }));
  for (const digest of digests)
    if (digest.sizeBytes % 3n === 0n) store.port.blobs.set(keyOf(digest), Buffer.alloc(0));
  const unknown = new FieldWriter();
  unknown.text(900, "from the future");
  const request = Buffer.concat([
    codec().encode(`${V2}.FindMissingBlobsRequest`, {
      instanceName: "main",
      blobDigests: digests,
      digestFunction: 1,
    }),
    unknown.toBuffer(),
  ]);
  const answer = await answerOf(
    divideFindMissing(
      one(request),
      store.call(FIND_MISSING_BLOBS),
      pairOf({}),
      store.forward("FindMissingBlobs"),
    ),
  );
  const { missingBlobDigests } = codec().decode(`${V2}.FindMissingBlobsResponse`, answer);
  assert.deepEqual(
    missingBlobDigests.map(({ hash }) => hash),
    digests.filter(({ sizeBytes }) => sizeBytes % 3n !== 0n).map(({ hash }) => hash),
  );
  assert.equal(store.forwarded.length, 3);
  for (const part of store.forwarded) {
    const { instanceName, digestFunction } = codec().decode(`${V2}.FindMissingBlobsRequest`, part);
    assert.deepEqual([instanceName, digestFunction], ["main", 1]);
    assert.ok(part.includes("from the future"));
  }
});

test("what fits is the very same request; lists that are empty, too", async () => {
  const store = new LimitedStore({ batch: 1000, blobsOnly: false, message: 4 << 20 });
  const pair = pairOf({ batchLimit: { announced: 1000, evidence } });
  const update = codec().encode(`${V2}.BatchUpdateBlobsRequest`, {
    requests: [{ digest: sha256("a"), data: Buffer.from("a") }],
  });
  const empty = codec().encode(`${V2}.BatchReadBlobsRequest`, { instanceName: "main" });
  await answerOf(
    divideUpdate(one(update), store.call(BATCH_UPDATE_BLOBS), pair, store.forward("BatchUpdateBlobs")),
  );
  await answerOf(divideRead(one(empty), store.call(BATCH_READ_BLOBS), pair, store.forward("BatchReadBlobs")));
  await answerOf(
    divideFindMissing(one(empty), store.call(FIND_MISSING_BLOBS), pair, store.forward("FindMissingBlobs")),
  );
  assert.ok(store.forwarded[0] === update && store.forwarded[1] === empty && store.forwarded[2] === empty);
});

/** An update of blobs of 300 bytes, of which a server with this limit takes two at a time. */
const PAIRED = pairOf({ batchLimit: { announced: 900, evidence } });
const SIX = Array.from({ length: 6 }, (_, at) => Buffer.alloc(300, `${at}`));
const UPDATE_OF_SIX = codec().encode(`${V2}.BatchUpdateBlobsRequest`, {
  requests: SIX.map((data) => ({ digest: sha256(data), data })),
});

async function updateOfSix(store: LimitedStore): Promise<number[]> {
  const call = store.call(BATCH_UPDATE_BLOBS);
  const answer = await answerOf(
    divideUpdate(one(UPDATE_OF_SIX), call, PAIRED, store.forward("BatchUpdateBlobs")),
  );
  return codec()
    .decode(`${V2}.BatchUpdateBlobsResponse`, answer)
    .responses.map(({ status }) => status?.code ?? 0);
}

test("a part that fails is told of its own blobs, with all that the upstream says", async () => {
  const store = new LimitedStore({ batch: 900, blobsOnly: false, message: 4 << 20 });
  store.failures = (index) =>
    index === 1 ? new UpstreamError(Status.UNAVAILABLE, "gone for a moment") : null;
  assert.deepEqual(await updateOfSix(store), [0, 0, Status.UNAVAILABLE, Status.UNAVAILABLE, 0, 0]);
  assert.equal(store.most, 3);
});

test("where every part fails, the call does, as a call of one part would", async () => {
  const store = new LimitedStore({ batch: 900, blobsOnly: false, message: 4 << 20 });
  store.failures = () => new UpstreamError(Status.PERMISSION_DENIED, "read-only");
  await assert.rejects(updateOfSix(store), { code: Status.PERMISSION_DENIED, message: "read-only" });
});

test("the first part of a list of digests that fails is the status of the call", async () => {
  const store = new LimitedStore({ batch: 1, blobsOnly: true, message: 1000 });
  store.failures = (index) => (index === 1 ? new UpstreamError(Status.UNAVAILABLE, "gone") : null);
  const request = codec().encode(`${V2}.FindMissingBlobsRequest`, {
    blobDigests: SIX.flatMap((data) => [data, data, data, data]).map((data) => {
      const { hash, sizeBytes } = sha256(data);
      return { hash, sizeBytes: BigInt(sizeBytes) };
    }),
  });
  const pair = pairOf({ messageLimit: { is: 1000, evidence } });
  const asked = answerOf(
    divideFindMissing(one(request), store.call(FIND_MISSING_BLOBS), pair, store.forward("FindMissingBlobs")),
  );
  await assert.rejects(asked, { code: Status.UNAVAILABLE });
  assert.equal(store.forwarded.length, 2);
});

test("few parts are under way at a time, and nothing stays charged", async () => {
  const store = new LimitedStore({ batch: 900, blobsOnly: false, message: 4 << 20 });
  const budget = new TestBudget(1 << 20);
  const requests = Array.from({ length: 40 }, (_, at) => Buffer.alloc(300, `${at}`)).map((data) => ({
    digest: sha256(data),
    data,
  }));
  const request = codec().encode(`${V2}.BatchUpdateBlobsRequest`, { requests });
  const call = { ...store.call(BATCH_UPDATE_BLOBS), budget };
  await answerOf(divideUpdate(one(request), call, PAIRED, store.forward("BatchUpdateBlobs")));
  assert.equal(store.most, 4);
  assert.equal(budget.used, 0);
});

test("without room parts are told to be tried later, and all of them make the call", async () => {
  const store = new LimitedStore({ batch: 900, blobsOnly: false, message: 4 << 20 });
  const call = { ...store.call(BATCH_UPDATE_BLOBS), budget: new TestBudget(100) };
  const answer = answerOf(divideUpdate(one(UPDATE_OF_SIX), call, PAIRED, store.forward("BatchUpdateBlobs")));
  await assert.rejects(answer, { code: Status.RESOURCE_EXHAUSTED });
  assert.equal(store.forwarded.length, 0);
});

test("more than one answer holds is refused before anything is read", async () => {
  const store = new LimitedStore({ batch: 900, blobsOnly: false, message: 4 << 20 });
  const digests = SIX.map((data) => sha256(data)).map(({ hash, sizeBytes }) => ({
    hash,
    sizeBytes: BigInt(sizeBytes),
  }));
  const request = codec().encode(`${V2}.BatchReadBlobsRequest`, { digests });
  const call = { ...store.call(BATCH_READ_BLOBS), maxMessageBytes: 2000 };
  const answer = answerOf(divideRead(one(request), call, PAIRED, store.forward("BatchReadBlobs")));
  await assert.rejects(answer, (error: Error & { status?: number }) => {
    assert.equal(error.status, Status.INVALID_ARGUMENT);
    assert.match(error.message, /no more than 2000 bytes into one answer/);
    return true;
  });
  assert.equal(store.forwarded.length, 0);
});
