import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { Plan } from "../../../src/plan/plan.ts";
import { codec } from "../../../src/spec/codec.ts";
import { SPLICE_BLOB, SPLICE_CHUNKS, SPLIT_BLOB, SPLIT_CHUNKS } from "../../../src/translators/methods.ts";
import type { Blob } from "../../../src/upstream/port.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { type Digest, formatDigest, readDigest } from "../../../src/wire/digest.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { numberIn, payloadsOf } from "../../../src/wire/fields.ts";
import { Status } from "../../../src/wire/status.ts";
import { Walker } from "../../../src/wire/walker.ts";
import { collect } from "../../support/collect.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { answered, answers, endsIn } from "../served.ts";
import { client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
const MIB = 1 << 20;

const lacking = () =>
  server({ missingMethods: [SPLIT_BLOB, SPLICE_BLOB], forms: { chunking: { reads: ["whole"] } } });
const required = plan(client(), lacking(), { chunking: "require" });

const message = ({ hash, sizeBytes }: Digest) => ({ hash, sizeBytes: BigInt(sizeBytes) });

const splitRequest = (blob: Digest, chunkingFunction = 0) =>
  codec().encode(`${V2}.SplitBlobRequest`, { blobDigest: message(blob), chunkingFunction });

const spliceRequest = (blob: Digest | null, chunks: readonly Digest[]) =>
  codec().encode(`${V2}.SpliceBlobRequest`, {
    blobDigest: blob && message(blob),
    chunkDigests: chunks.map(message),
  });

const digestsIn = (response: Buffer) =>
  payloadsOf(response, 1).map((payload) => readDigest(new Walker(payload)));

async function split(upstream: MemoryUpstream, blob: Digest, by: Plan = required): Promise<Digest[]> {
  return digestsIn(await answered(by, SPLIT_BLOB, splitRequest(blob), upstream));
}

async function splice(upstream: MemoryUpstream, blob: Digest | null, chunks: readonly Digest[]) {
  const [made] = digestsIn(await answered(required, SPLICE_BLOB, spliceRequest(blob, chunks), upstream));
  return made!;
}

const contentOf = (upstream: MemoryUpstream, chunks: readonly Digest[]) =>
  Buffer.concat(chunks.map((chunk) => upstream.blobs.get(formatDigest(chunk))!));

/** A store that sees what is written, as it is written, and stores only what is complete: it checks nothing itself. */
class Trusting extends MemoryUpstream {
  readonly written: string[] = [];
  streams = 0;

  override async writeBlob(digest: Digest, parts: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    const received: Buffer[] = [];
    let bytes = 0;
    for await (const part of parts) {
      received.push(Buffer.from(part));
      bytes += part.length;
      if (bytes === digest.sizeBytes) this.blobs.set(formatDigest(digest), Buffer.concat(received));
    }
  }

  override async writeBlobs(blobs: readonly Blob[]): Promise<void> {
    for (const { digest } of blobs) this.written.push(formatDigest(digest));
    await super.writeBlobs(blobs);
  }

  override async *streamBlob(digest: Digest) {
    this.streams++;
    for await (const part of super.streamBlob(digest)) {
      for (let at = 0; at < part.length; at += 65_536) yield part.subarray(at, at + 65_536);
    }
  }
}

test("given the policy, then a blob is cut into stored chunks, by FastCDC, whatever function is asked for", async () => {
  const upstream = new Trusting();
  const content = randomBytes(9 * MIB);
  const blob = upstream.put(content);
  for (const wanted of [0, 1, 2]) {
    const response = await answered(required, SPLIT_BLOB, splitRequest(blob, wanted), upstream);
    assert.equal(numberIn(response, 2), 1);
    const chunks = digestsIn(response);
    assert.ok(chunks.length > 5);
    assert.ok(chunks.every(({ sizeBytes }) => sizeBytes <= 2 * MIB));
    assert.deepEqual(contentOf(upstream, chunks), content);
  }
  assert.equal(upstream.streams, 1, "the list is remembered");
});

test("given a list that is remembered, then it is given only to who has the blob and all chunks", async () => {
  const upstream = new Trusting();
  const content = randomBytes(5 * MIB);
  const blob = upstream.put(content);
  const chunks = await split(upstream, blob);
  const lost = formatDigest(chunks[1]!);
  upstream.blobs.delete(lost);
  upstream.written.length = 0;
  assert.deepEqual(await split(upstream, blob), chunks);
  assert.deepEqual(upstream.written, [lost], "made again");
  upstream.blobs.delete(formatDigest(blob));
  const [code] = await endsIn(split(upstream, blob));
  assert.equal(code, Status.NOT_FOUND);
  // Somebody else's view of the same upstream, in which nothing is.
  const [other] = await endsIn(split(new Trusting(), blob));
  assert.equal(other, Status.NOT_FOUND);
});

test("given a blob below four times the average, then it is its own chunk, and NOT_FOUND if it is not stored", async () => {
  const upstream = new Trusting();
  for (const size of [1, 1000, 2 * MIB - 1]) {
    const blob = upstream.put(randomBytes(size));
    assert.deepEqual(await split(upstream, blob), [blob]);
  }
  assert.equal(upstream.streams, 0);
  const [code, text] = await endsIn(split(upstream, { hash: "ab".repeat(32), sizeBytes: 7 }));
  assert.equal(code, Status.NOT_FOUND);
  assert.match(text, /abab\/7|abab.*7/);
});

test("given a caller who may only read, then a blob is its own chunk", async () => {
  class ReadOnly extends Trusting {
    override async writeBlobs(): Promise<void> {
      throw new UpstreamError(Status.PERMISSION_DENIED, "read-only");
    }
  }
  const upstream = new ReadOnly();
  const blob = upstream.put(randomBytes(6 * MIB));
  assert.deepEqual(await split(upstream, blob), [blob]);
});

test("given a blob that changes while it is read, then there is no list", async () => {
  class Lossy extends Trusting {
    override async *streamBlob(digest: Digest) {
      yield* super.streamBlob(digest);
      throw new UpstreamError(Status.DATA_LOSS, "of another hash");
    }
  }
  const upstream = new Lossy();
  const blob = upstream.put(randomBytes(6 * MIB));
  const [code] = await endsIn(split(upstream, blob));
  assert.equal(code, Status.DATA_LOSS);
});

test("given more chunks than a message can name, then the blob is refused by name before it is read", async () => {
  const upstream = new Trusting();
  const [code, text] = await endsIn(split(upstream, { hash: "ab".repeat(32), sizeBytes: 2 ** 36 }));
  assert.equal(code, Status.INVALID_ARGUMENT);
  assert.match(text, /more chunks than one call can name .*request-unsupported, D22/);
  assert.equal(upstream.streams, 0);
});

test("given chunks, then their concatenation is stored, and not written again where it is there", async () => {
  const upstream = new Trusting();
  const parts = [
    randomBytes(3 * MIB),
    randomBytes(10),
    Buffer.alloc(0),
    randomBytes(5 * MIB),
    randomBytes(20),
  ];
  const chunks = parts.map((part) => upstream.put(part));
  const content = Buffer.concat(parts);
  const blob = { hash: createHash("sha256").update(content).digest("hex"), sizeBytes: content.length };
  assert.deepEqual(await splice(upstream, blob, chunks), blob);
  assert.deepEqual(upstream.blobs.get(formatDigest(blob)), content);
  const streams = upstream.streams;
  upstream.blobs.delete(formatDigest(chunks[0]!));
  assert.deepEqual(await splice(upstream, blob, chunks), blob);
  assert.equal(upstream.streams, streams);
});

test("given no digest of the blob, as in drafts, then the bridge computes it", async () => {
  const upstream = new Trusting();
  const chunks = ["one ", "two ", "three"].map((text) => upstream.put(text));
  const made = await splice(upstream, null, chunks);
  assert.equal(upstream.blobs.get(formatDigest(made))?.toString(), "one two three");
  const [code, text] = await endsIn(splice(upstream, null, []));
  assert.deepEqual([code, text], [Status.INVALID_ARGUMENT, "blob_digest is missing, and so are the chunks"]);
});

test("given chunks that do not make the blob, then nothing becomes visible, even where the store checks nothing", async () => {
  const upstream = new Trusting();
  const [one, two] = [upstream.put(randomBytes(3 * MIB)), upstream.put(randomBytes(3 * MIB))];
  const wrong = { hash: "ab".repeat(32), sizeBytes: 6 * MIB };
  const before = new Set(upstream.blobs.keys());
  const cases: readonly [Digest, Digest[], number, RegExp][] = [
    [wrong, [one!, two!], Status.INVALID_ARGUMENT, /their hash is another one/],
    [wrong, [one!], Status.INVALID_ARGUMENT, /3145728 bytes together, the blob has 6291456/],
    [{ ...wrong, sizeBytes: 0 }, [], Status.INVALID_ARGUMENT, /their hash is another one/],
    [
      wrong,
      [one!, { hash: "cd".repeat(32), sizeBytes: 3 * MIB }],
      Status.NOT_FOUND,
      /the chunk (cd)+\/3145728 is not/,
    ],
    [wrong, [one!, { hash: "cd", sizeBytes: 3 * MIB }], Status.INVALID_ARGUMENT, /hash/],
  ];
  for (const [blob, chunks, code, expected] of cases) {
    const [actual, text] = await endsIn(splice(upstream, blob, chunks));
    assert.equal(actual, code, text);
    assert.match(text, expected);
  }
  assert.deepEqual(new Set(upstream.blobs.keys()), before);
});

test("given a chunk that goes while the blob is made, then NOT_FOUND names it", async () => {
  class Going extends Trusting {
    override async findMissing(digests: readonly Digest[]): Promise<Digest[]> {
      const missing = await super.findMissing(digests);
      for (const digest of digests) if (digest.sizeBytes === 10) this.blobs.delete(formatDigest(digest));
      return missing;
    }
  }
  const upstream = new Going();
  const chunks = [upstream.put(randomBytes(3 * MIB)), upstream.put(randomBytes(10)), upstream.put("x")];
  const [code, text] = await endsIn(splice(upstream, null, chunks));
  assert.equal(code, Status.NOT_FOUND);
  assert.ok(text.includes(formatDigest(chunks[1]!)));
});

test("given a list in a blob of its own, then it is read for SpliceBlob", async () => {
  const upstream = new Trusting();
  const chunks = ["a", "b", "c"].map((text) => upstream.put(text));
  const list = upstream.put(codec().encode(`${V2}.SplitBlobResponse`, { chunkDigests: chunks.map(message) }));
  const out = new FieldWriter();
  const digest = new FieldWriter();
  digest.text(1, list.hash);
  digest.varint(2, list.sizeBytes);
  out.message(6, digest.finish());
  const [made] = digestsIn(await answered(required, SPLICE_BLOB, out.toBuffer(), upstream));
  assert.equal(upstream.blobs.get(formatDigest(made!))?.toString(), "abc");
});

test("given the streamed methods, then they are served as well, the list in parts", async () => {
  const upstream = new Trusting();
  const content = randomBytes(7 * MIB);
  const blob = upstream.put(content);
  const responses = await collect(answers(required, SPLIT_CHUNKS, [splitRequest(blob)], upstream));
  const chunks = responses.flatMap(digestsIn);
  assert.deepEqual(contentOf(upstream, chunks), content);
  assert.equal(numberIn(responses.at(-1)!, 2), 1);
  upstream.blobs.delete(formatDigest(blob));
  const requests = chunks.map((chunk, index) => spliceRequest(index === 0 ? blob : null, [chunk]));
  const [made] = digestsIn(await answered(required, SPLICE_CHUNKS, requests, upstream));
  assert.deepEqual(made, blob);
  assert.deepEqual(upstream.blobs.get(formatDigest(blob)), content);
});

test("whatever the blob and the parts in which the upstream sends it, splitting and splicing gives it back", async () => {
  class Chopping extends Trusting {
    part = 1;
    override async *streamBlob(digest: Digest) {
      const bytes = await this.readBlob(digest, Number.POSITIVE_INFINITY);
      for (let at = 0; at < bytes.length; at += this.part) yield bytes.subarray(at, at + this.part);
    }
  }
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 * MIB }),
      fc.integer({ min: 4_000, max: 4 * MIB }),
      fc.constantFrom(0, 1, 250),
      async (size, part, period) => {
        const upstream = new Chopping();
        upstream.part = part;
        const content = period === 0 ? randomBytes(size) : Buffer.alloc(size, randomBytes(period));
        const blob = upstream.put(content);
        const chunks = await split(upstream, blob);
        const only = new Set(chunks.map(formatDigest));
        for (const key of [...upstream.blobs.keys()]) if (!only.has(key)) upstream.blobs.delete(key);
        assert.deepEqual(await splice(upstream, blob, chunks), blob);
        assert.ok(upstream.blobs.get(formatDigest(blob))!.equals(content));
      },
    ),
    { numRuns: 25 },
  );
});
