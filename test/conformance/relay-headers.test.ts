import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { request } from "../support/raw-h2/client.ts";
import { end, OK_HEADERS, OK_TRAILERS } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { encodeHeaders, type Header } from "../support/raw-h2/hpack.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";
import { headOf, RelayBed } from "../support/raw-h2/relay-bed.ts";

// Headers and trailers as they come out on the other side: the same, in the same order, nothing added.

const { Bit, Type } = h2;

/** What real callers send, and what they may send: duplicates, binary values, empty ones, bytes above ASCII. */
const METADATA: Header[] = [
  ["user-agent", "grpc-c++/1.60.0 grpc-c/37.0.0"],
  ["grpc-timeout", "59999m"],
  ["grpc-encoding", "gzip"],
  ["grpc-accept-encoding", "identity, deflate, gzip"],
  ["build.bazel.remote.execution.v2.requestmetadata-bin", "CgwKBWJhemVsEgM3LjASBHRlc3Q"],
  ["x-twice", "1"],
  ["x-between", ""],
  ["x-twice", "2"],
  ["x-twice", "1"],
  ["data-bin", "AAEC/w,AAEC/w=="],
  ["data-bin", ""],
  ["authorization", "Bearer secret"],
  ["cookie", "a=b"],
  ["cookie", "c=d"],
  ["x-latin", "caf\xe9 \xff"],
  ["x-spaces", "a  b"],
  ["date", "Thu, 01 Jan 1970 00:00:00 GMT"],
  ["via", "1.1 somebody"],
  ["x-long", "v".repeat(5_000)],
];

let bed: RelayBed;
let authority: string;
before(async () => {
  bed = await RelayBed.start();
  const { client, upstream } = await bed.pair();
  authority = (await headOf(upstream, 1)).headers.find(([name]) => name === ":authority")![1];
  client.close();
});
after(() => bed.stop());

function arrives(headers: Header[]): Header[] {
  return headers.map(([name, value]) => [name, name === ":authority" ? authority : value]);
}

test("a request's head arrives as it was sent, but for :authority", async () => {
  const { upstream, client } = await bed.pair(request("/any.Service/AnyMethod", METADATA));
  const { headers, flags } = await headOf(upstream, 1);
  assert.deepEqual(headers, arrives(request("/any.Service/AnyMethod", METADATA)));
  assert.equal(flags & Bit.END_STREAM, 0);
  // Once more: now most of it comes from the compression tables.
  client.sendHeaders(3, request("/any.Service/AnyMethod", METADATA), Bit.END_STREAM);
  const again = await headOf(upstream, 3);
  assert.deepEqual(again.headers, arrives(request("/any.Service/AnyMethod", METADATA)));
  assert.equal(again.flags & Bit.END_STREAM, Bit.END_STREAM);
});

test("a response's head and trailers arrive as they were sent", async () => {
  const { upstream, client } = await bed.pair(request(), Bit.END_STREAM);
  const head = [...OK_HEADERS, ...METADATA];
  const trailers: Header[] = [
    ["grpc-status", "9"],
    ["grpc-message", "caf%C3%A9 %25 \xe9"],
    ["grpc-status-details-bin", "CAkSBHRlc3Q"],
    ...METADATA,
  ];
  upstream.sendHeaders(1, head);
  upstream.send(h2.data(1, Buffer.from("body")));
  upstream.sendHeaders(1, trailers, Bit.END_STREAM);
  const record = await client.outcome(1);
  assert.deepEqual(record.sections, [head, trailers]);
  assert.equal(record.bytes().toString(), "body");
});

test("a trailers-only response stays one header list that ends the stream", async () => {
  const { upstream, client } = await bed.pair();
  const only: Header[] = [...OK_HEADERS, ["grpc-status", "5"], ["grpc-message", "no such blob"]];
  upstream.sendHeaders(1, only, Bit.END_STREAM);
  const record = await client.outcome(1);
  assert.deepEqual(record.sections, [only]);
  assert.equal((await headOf(client, 1)).flags, Bit.END_STREAM | Bit.END_HEADERS);
});

test("a status that is no 200, and a response that is no gRPC, pass", async () => {
  const { upstream, client } = await bed.pair();
  const head: Header[] = [
    [":status", "503"],
    ["content-type", "text/html"],
    ["retry-after", "3"],
  ];
  upstream.sendHeaders(1, head);
  upstream.send(h2.data(1, Buffer.from("<html>"), Bit.END_STREAM));
  const record = await client.outcome(1);
  assert.deepEqual([record.sections, record.bytes().toString()], [[head], "<html>"]);
});

test("trailers of a request pass", async () => {
  const { upstream, client } = await bed.pair();
  client.send(h2.data(1, Buffer.from("body")));
  client.sendHeaders(1, METADATA, Bit.END_STREAM);
  const { sections } = await upstream.outcome(1);
  assert.deepEqual(sections.at(-1), METADATA);
});

for (const [size, bytes] of [
  [300, 10],
  [60_000, 7_000],
  [60_000, 16_384],
] as const) {
  test(`${size} bytes of metadata in frames of ${bytes} pass both ways, in frames the receiver takes`, async () => {
    const large: Header[] = Array.from({ length: 10 }, (_, i) => [`x-large-${i}`, `${i}`.repeat(size / 10)]);
    const client = await bed.client();
    client.sendHeaders(1, request("/a/b", large), Bit.END_STREAM, bytes);
    const upstream = await bed.upstream();
    assert.deepEqual((await headOf(upstream, 1)).headers, arrives(request("/a/b", large)));
    upstream.sendHeaders(1, [...OK_HEADERS, ...large], 0, bytes);
    upstream.sendHeaders(1, [...OK_TRAILERS, ...large], Bit.END_STREAM, bytes);
    const record = await client.outcome(1);
    assert.deepEqual(record.sections, [
      [...OK_HEADERS, ...large],
      [...OK_TRAILERS, ...large],
    ]);
    for (const peer of [client, upstream]) assert.ok(peer.log.every((f) => f.payload.length <= 16_384));
    const continued = (peer: RawPeer) => peer.log.some((f) => f.type === Type.CONTINUATION);
    assert.deepEqual([continued(client), continued(upstream)], [size === 60_000, size === 60_000]);
  });
}

test("RFC 7541 7.1.3: what must never be indexed is passed on so, both ways", async () => {
  const secret = encodeHeaders([["x-secret", "hush"]], 0x10);
  const client = await bed.client();
  const block = Buffer.concat([encodeHeaders(request()), secret]);
  client.send(h2.frame(Type.HEADERS, Bit.END_HEADERS, 1, block));
  const upstream = await bed.upstream();
  const answer = Buffer.concat([encodeHeaders(OK_HEADERS), secret]);
  const head = await headOf(upstream, 1);
  upstream.send(h2.frame(Type.HEADERS, Bit.END_HEADERS, 1, answer));
  for (const { payload, headers } of [head, await headOf(client, 1)]) {
    assert.deepEqual(headers.at(-1), ["x-secret", "hush"]);
    // It is the last of the list: a representation 0001 with a new name and, at most, Huffman coding.
    const plain = payload.lastIndexOf(secret);
    const coded = payload.lastIndexOf(Buffer.of(0x10, 0x86));
    assert.ok(plain >= 0 || coded >= 0, payload.toString("hex"));
  }
});

test("RFC 7541 4.2: a receiver's table size is kept, told by a size update, and 0 means no table", async () => {
  for (const size of [0, 100, 4096]) {
    bed.onUpstream((peer) => {
      peer.send(h2.settings([h2.Setting.HEADER_TABLE_SIZE, size]));
      return false;
    });
    const client = await bed.client({}, [[h2.Setting.HEADER_TABLE_SIZE, size]]);
    client.sendHeaders(1, request("/a/b", METADATA));
    const upstream = await bed.upstream();
    await headOf(upstream, 1);
    for (const stream of [3, 5, 7]) client.sendHeaders(stream, request("/a/b", METADATA));
    for (const stream of [1, 3, 5, 7]) {
      assert.deepEqual((await headOf(upstream, stream)).headers, arrives(request("/a/b", METADATA)));
      upstream.sendHeaders(stream, [...OK_HEADERS, ...METADATA]);
      assert.deepEqual((await headOf(client, stream)).headers, [...OK_HEADERS, ...METADATA]);
    }
    for (const peer of [upstream, client]) {
      const blocks = peer.log.filter((f) => f.type === Type.HEADERS).map((f) => f.payload.length);
      const shrinks = blocks.at(-1)! < blocks[0]! / 2;
      if (size === 0) assert.equal(shrinks, false, `${blocks}: something was indexed`);
    }
    client.close();
  }
  bed.onUpstream(() => {});
});

test("6.5.2 a receiver that shrinks its table in the middle is understood", async () => {
  const { client, upstream } = await bed.pair(request("/a/b", METADATA));
  upstream.send(
    h2.settings([h2.Setting.HEADER_TABLE_SIZE, 0]),
    h2.settings([h2.Setting.HEADER_TABLE_SIZE, 4096]),
  );
  await upstream.fence();
  client.sendHeaders(3, request("/a/b", METADATA));
  const { headers, payload } = await headOf(upstream, 3);
  assert.deepEqual(headers, arrives(request("/a/b", METADATA)));
  assert.deepEqual([payload[0], payload[1]! & 0xe0], [0x20, 0x20], "two size updates: to 0 and up again");
});

test("what ends a body is kept: an empty DATA frame, the last bytes, or trailers", async () => {
  const { client, upstream } = await bed.pair();
  client.send(h2.data(1, Buffer.from("abc"), Bit.END_STREAM));
  assert.equal((await upstream.outcome(1)).bytes().toString(), "abc");
  client.sendHeaders(3, request());
  client.send(end(3));
  assert.equal((await upstream.outcome(3)).received, 0);
});
