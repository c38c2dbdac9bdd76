import assert from "node:assert/strict";
import { test } from "node:test";
import { announce } from "../../../src/plan/run-hooks.ts";
import { SPLICE_BLOB, SPLICE_CHUNKS, SPLIT_BLOB, SPLIT_CHUNKS } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { encodeDigest } from "../../../src/wire/digest.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { numberIn, payloadsOf } from "../../../src/wire/fields.ts";
import { Status } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { endsIn, exchanged, lacking } from "../served.ts";
import { client, forwards, plan, server } from "../support.ts";

const pair = plan(client({ level: null }), server());
const chunk = (n: number) => encodeDigest({ hash: n.toString(16).padStart(64, "0"), sizeBytes: n + 1 });

/** A message of fields that are text, bytes or numbers. */
function message(...fields: readonly [number: number, value: string | Buffer | number][]): Buffer {
  const out = new FieldWriter();
  for (const [number, value] of fields) {
    if (typeof value === "number") out.varint(number, value);
    else if (typeof value === "string") out.text(number, value);
    else out.bytes(number, value);
  }
  return out.toBuffer();
}

const REQUEST = message([1, "main"], [2, chunk(7)], [3, 1], [4, 2]);

function upstreamThat(answer: (request: Buffer) => Buffer): MemoryUpstream & { calls: [string, Buffer][] } {
  const upstream = Object.assign(new MemoryUpstream(), { calls: [] as [string, Buffer][] });
  upstream.onCall = (path, request) => {
    upstream.calls.push([path, request]);
    return [answer(request)];
  };
  return upstream;
}

test("given a server without SplitChunks, then SplitBlob gives the list, which comes in parts", async () => {
  const chunks = Array.from({ length: 30_000 }, (_, n) => chunk(n));
  const upstream = upstreamThat(() => message(...chunks.map((c): [number, Buffer] => [1, c]), [2, 1]));
  const parts = await collect(exchanged(pair, SPLIT_CHUNKS, [REQUEST], upstream));
  assert.deepEqual(upstream.calls, [[SPLIT_BLOB, REQUEST]]);
  assert.ok(parts.length > 1 && parts.every(({ length }) => length < (1 << 20) + 100));
  assert.deepEqual(
    parts.flatMap((part) => payloadsOf(part, 1)),
    chunks,
  );
  assert.deepEqual(
    parts.map((part) => [numberIn(part, 2), numberIn(part, 3)]),
    parts.map((_, index) => [index === parts.length - 1 ? 1 : 0, 1]),
  );
});

test("given an empty list, then there is one message that ends it", async () => {
  const upstream = upstreamThat(() => Buffer.alloc(0));
  assert.deepEqual(await collect(exchanged(pair, SPLIT_CHUNKS, [REQUEST], upstream)), [hex("10 01")]);
});

test("given a server without SpliceChunks, then SpliceBlob gets the list in one message", async () => {
  const upstream = upstreamThat(() => message([1, chunk(7)]));
  const requests = [
    message([1, "main"], [2, chunk(7)], [3, chunk(1)], [4, 1], [5, 2], [500, "of tomorrow"]),
    // What later messages say of the blob does not count.
    message([2, chunk(8)], [3, chunk(2)], [3, chunk(3)]),
    message([3, chunk(4)], [6, 1]),
  ];
  const whole = message(
    [1, "main"],
    [2, chunk(7)],
    ...[1, 2, 3, 4].map((n): [number, Buffer] => [3, chunk(n)]),
    [4, 1],
    [5, 2],
    [500, "of tomorrow"],
  );
  const [response] = await collect(exchanged(pair, SPLICE_CHUNKS, requests, upstream));
  assert.deepEqual(response, message([1, chunk(7)]));
  assert.deepEqual(upstream.calls, [[SPLICE_BLOB, whole]]);
});

test("given a server with the methods, then calls go to it and come back as they are", async () => {
  const upstream = upstreamThat(() => assert.fail("SplitBlob is not called"));
  const seen: Buffer[] = [];
  const answer = [message([1, chunk(1)]), message([1, chunk(2)], [2, 1])];
  const native = async function* (requests: Iterable<Buffer> | AsyncIterable<Buffer>) {
    for await (const request of requests) seen.push(request);
    yield* answer;
  };
  assert.deepEqual(
    await collect(exchanged(pair, SPLIT_CHUNKS, [REQUEST], upstream, forwards(native))),
    answer,
  );
  const requests = [message([2, chunk(7)], [3, chunk(1)]), message([3, chunk(2)], [6, 1])];
  await collect(exchanged(pair, SPLICE_CHUNKS, requests, upstream, forwards(native)));
  assert.deepEqual(seen, [REQUEST, ...requests]);
});

test("given a list that SpliceBlob cannot take, then it streams on to a server with the method, and is refused else", async () => {
  const chunks = Array.from({ length: 15_000 }, (_, n): [number, Buffer] => [3, chunk(n)]);
  const requests = Array.from({ length: 6 }, () => message(...chunks));
  let count = 0;
  const native = async function* (given: Iterable<Buffer> | AsyncIterable<Buffer>) {
    for await (const _ of given) count++;
    yield message([1, chunk(7)]);
  };
  const upstream = new MemoryUpstream();
  await collect(exchanged(pair, SPLICE_CHUNKS, requests, upstream, forwards(native)));
  assert.equal(count, 6);
  const [code, text] = await endsIn(exchanged(pair, SPLICE_CHUNKS, requests, upstream, lacking));
  assert.equal(code, Status.UNIMPLEMENTED);
  assert.match(text, /SpliceChunks was used.*does not fit.*method-unsupported, P01/);
});

test("given a server without either, then the refusal is by name; other failures pass", async () => {
  const upstream = new MemoryUpstream();
  for (const path of [SPLIT_CHUNKS, SPLICE_CHUNKS]) {
    const [code, text] = await endsIn(exchanged(pair, path, [REQUEST], upstream));
    assert.equal(code, Status.UNIMPLEMENTED);
    assert.match(text, /P01/);
  }
  upstream.onCall = () => {
    throw new UpstreamError(Status.NOT_FOUND, "no such blob");
  };
  assert.deepEqual(await endsIn(exchanged(pair, SPLIT_CHUNKS, [REQUEST], upstream)), [
    Status.NOT_FOUND,
    "no such blob",
  ]);
});

test("given the policy, then the streamed methods are announced where the unary ones are", () => {
  const both = hex("0a 06 20 01 48 01 50 01");
  const wanted = plan(client({ level: null }), server(), { "streamed-chunks": "require" });
  assert.equal(announce(pair, both), both);
  const told = announce(wanted, both);
  assert.deepEqual(told, hex("0a 0a 20 01 48 01 50 01 68 01 70 01"));
  assert.equal(announce(wanted, told), told);
  const split = hex("0a 04 20 01 48 01");
  assert.deepEqual(announce(wanted, split), hex("0a 06 20 01 48 01 68 01"));
});
