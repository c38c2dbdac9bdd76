import assert from "node:assert/strict";
import { request } from "../support/raw-h2/client.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { type FrontDoorCase, frontDoorCases, open, wholeCall } from "../support/raw-h2/front-door-cases.ts";
import { encodeHeaders, encodeInteger } from "../support/raw-h2/hpack.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";

// Header compression (RFC 7541) and the size of header lists, as a client can get them wrong.

const { Bit, Type } = h2;
const good = encodeHeaders(request());

function sendBlock(client: RawPeer, stream: number, ...parts: Buffer[]): void {
  client.send(h2.frame(Type.HEADERS, Bit.END_HEADERS | Bit.END_STREAM, stream, Buffer.concat(parts)));
}

function badBlock(rule: string, ...parts: Buffer[]): FrontDoorCase {
  return {
    rule,
    send: (client) => sendBlock(client, 1, ...parts),
    verdict: { connection: "COMPRESSION_ERROR" },
  };
}

/** A literal without indexing and with a new name whose value is the given bytes, Huffman flag and length included. */
function literal(value: number[]): Buffer {
  return Buffer.from([0x00, 0x01, 0x78, ...value]);
}

const blocks: FrontDoorCase[] = [
  badBlock("RFC 7541 6.1: index 0", good, Buffer.of(0x80)),
  badBlock("RFC 7541 2.3.3: an index beyond both tables", good, Buffer.of(0xc0)),
  badBlock("RFC 7541 2.3.3: a name index beyond both tables", good, Buffer.of(0x7f, 0x20, 0x01, 0x61)),
  badBlock("RFC 7541 6.3: a table size update above the limit", encodeInteger(0x20, 5, 4097), good),
  badBlock("RFC 7541 4.2: a table size update behind a header", good, Buffer.of(0x20)),
  badBlock(
    "RFC 7541 5.1: an integer without an end",
    good,
    Buffer.from([0xff, ...new Array(12).fill(0xff), 0x01]),
  ),
  badBlock(
    "RFC 7541 5.1: an integer of more than 32 bits",
    good,
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
  ),
  badBlock("RFC 7541 5.1: an integer cut short", good, Buffer.of(0xff, 0x80)),
  badBlock("RFC 7541 5.2: a string beyond the end of the block", good, literal([0x7f, 0x00, 0x61])),
  badBlock("RFC 7541 5.2: a literal without a value", good, Buffer.of(0x00, 0x01, 0x78)),
  badBlock("RFC 7541 5.2: Huffman padding of eight bits", good, literal([0x82, 0x1f, 0xff])),
  badBlock("RFC 7541 5.2: Huffman padding with zeros", good, literal([0x81, 0x18])),
  badBlock("RFC 7541 5.2: the EOS symbol in a Huffman string", good, literal([0x84, 0xff, 0xff, 0xff, 0xff])),
  {
    rule: "4.3 a bad block in trailers",
    send: (client) => {
      open(client);
      sendBlock(client, 1, Buffer.of(0x80));
    },
    verdict: { connection: "COMPRESSION_ERROR" },
  },
  {
    rule: "4.3 a bad block of a stream that has been refused",
    send: (client) => {
      client.sendHeaders(1, [...request(), ["connection", "x"]]);
      sendBlock(client, 1, Buffer.of(0x80));
    },
    verdict: { connection: "COMPRESSION_ERROR" },
  },
];

/** Literals with incremental indexing: they put the whole request into the dynamic table, last one first. */
const indexing = encodeHeaders(request(), 0x40);
const fromTable = Buffer.from(request().map((_, i, all) => 0x80 + 61 + all.length - i));

const state: FrontDoorCase[] = [
  {
    rule: "4.3 the table is kept up to date by blocks of requests that fail",
    send: async (client) => {
      client.send(
        h2.frame(Type.HEADERS, Bit.END_HEADERS, 1, Buffer.concat([indexing, encodeHeaders([["te", "bad"]])])),
      );
      sendBlock(client, 3, fromTable);
      assert.equal((await client.outcome(3)).grpcStatus, 0);
    },
    verdict: { stream: 1, code: "PROTOCOL_ERROR" },
  },
  {
    rule: "4.3 the table is kept up to date by trailers on a stream the bridge has reset",
    send: async (client) => {
      client.sendHeaders(1, [...request(), ["connection", "x"]]);
      sendBlock(client, 1, indexing);
      sendBlock(client, 3, fromTable);
      assert.equal((await client.outcome(3)).grpcStatus, 0);
    },
    verdict: { stream: 1, code: "PROTOCOL_ERROR" },
  },
  {
    rule: "RFC 7541 4.2: size updates at the start empty the table and let it grow again",
    send: async (client) => {
      sendBlock(client, 1, indexing);
      sendBlock(client, 3, encodeInteger(0x20, 5, 0), encodeInteger(0x20, 5, 4096), indexing);
      sendBlock(client, 5, fromTable);
      for (const stream of [1, 3, 5]) assert.equal((await client.outcome(stream)).grpcStatus, 0);
    },
    verdict: "ignored",
  },
  {
    rule: "RFC 7541 4.4: a header larger than the table empties it and is still a header",
    send: async (client) => {
      sendBlock(client, 1, indexing, encodeHeaders([["x-large", "v".repeat(5000)]], 0x40));
      assert.equal((await client.outcome(1)).grpcStatus, 0);
      sendBlock(client, 3, fromTable);
    },
    verdict: { connection: "COMPRESSION_ERROR" },
  },
];

/** A header list of about `bytes` in HEADERS and CONTINUATION frames of 16 KiB. */
function largeRequest(stream: number, bytes: number): Buffer {
  const headers = request();
  for (let left = bytes; left > 0; left -= 8_000)
    headers.push(["x-large", "v".repeat(Math.min(left, 8_000))]);
  const block = encodeHeaders(headers);
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += 16_384) {
    const flags = at + 16_384 >= block.length ? Bit.END_HEADERS : 0;
    const part = block.subarray(at, at + 16_384);
    frames.push(
      at === 0
        ? h2.frame(Type.HEADERS, flags | Bit.END_STREAM, stream, part)
        : h2.frame(Type.CONTINUATION, flags, stream, part),
    );
  }
  return Buffer.concat(frames);
}

const sizes: FrontDoorCase[] = [
  {
    rule: "10.5.1 a header list below the limit of 128 KiB goes through",
    send: async (client) => {
      client.send(largeRequest(1, 120_000));
      assert.equal((await client.outcome(1)).grpcStatus, 0);
    },
    verdict: "ignored",
  },
  {
    rule: "10.5.1 a header list above the limit is answered with a status, and the connection goes on",
    send: async (client) => {
      client.send(largeRequest(1, 150_000));
      const record = await client.outcome(1);
      assert.equal(record.grpcStatus, 8, client.story());
      assert.match(record.last("grpc-message")!, /header/);
      await wholeCall(client, 3);
    },
    verdict: "ignored",
  },
  {
    rule: "10.5.1 a header block beyond what can be read and skipped ends the connection",
    send: (client) => client.send(largeRequest(1, 600_000)),
    verdict: { connection: "ENHANCE_YOUR_CALM" },
  },
  {
    rule: "6.10 CONTINUATION frames without an end",
    send: async (client) => {
      client.send(h2.frame(Type.HEADERS, 0, 1, good));
      for (let i = 0; i < 2_000 && !client.isClosed; i++)
        client.send(h2.frame(Type.CONTINUATION, 0, 1, Buffer.alloc(0)));
    },
    verdict: { connection: "ENHANCE_YOUR_CALM" },
  },
];

frontDoorCases([...blocks, ...state, ...sizes]);
