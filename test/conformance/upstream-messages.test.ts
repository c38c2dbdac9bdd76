import assert from "node:assert/strict";
import { OK_HEADERS, OK_TRAILERS } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { encodeHeaders, type Header } from "../support/raw-h2/hpack.ts";
import { type UpstreamCase, upstreamCases } from "../support/raw-h2/upstream-cases.ts";

// The bridge's client half: malformed responses (RFC 9113 section 8) cost their own call, broken header compression (RFC 7541) the connection.

const { Bit, Type } = h2;
const status: Header = [":status", "200"];

function malformed(rule: string, ...lists: Header[][]): UpstreamCase {
  return {
    rule,
    attack: (upstream) => {
      for (const headers of lists) upstream.sendHeaders(1, headers);
    },
    verdict: { stream: 1, code: "PROTOCOL_ERROR" },
    call: "status 13",
    message: /PROTOCOL_ERROR/,
  };
}

const heads: UpstreamCase[] = [
  malformed("8.3.2 no :status", [["content-type", "application/grpc"]]),
  malformed("8.3.2 :status twice", [status, status]),
  malformed("8.3.2 a :status that is no number", [[":status", "2OO"]]),
  malformed("8.3.2 a :status of four digits", [[":status", "2000"]]),
  malformed("8.3 a request's pseudo-header", [status, [":path", "/"]]),
  malformed("8.3 an unknown pseudo-header", [status, [":unknown", "1"]]),
  malformed("8.3 :status after a header", [["x-first", "1"], status]),
  malformed("8.2.1 an upper-case name", [status, ["X-Upper", "1"]]),
  malformed("8.2.1 a line break in a value", [status, ["x-bad", "a\r\nb: c"]]),
  malformed("8.2.2 a connection-specific header", [status, ["connection", "close"]]),
  malformed("8.2.2 transfer-encoding", [status, ["transfer-encoding", "chunked"]]),
  malformed("8.6 the status 101", [[":status", "101"]]),
  malformed("8.1.1 two content-lengths that differ", [
    status,
    ["content-length", "1"],
    ["content-length", "2"],
  ]),
  {
    ...malformed("8.1 a 1xx response that ends the stream"),
    attack: (upstream) => upstream.sendHeaders(1, [[":status", "103"]], Bit.END_STREAM),
  },
  {
    rule: "8.1 1xx responses reach the client before the final one",
    attack: async (upstream, client) => {
      upstream.sendHeaders(1, [[":status", "100"]]);
      upstream.sendHeaders(1, [
        [":status", "103"],
        ["link", "</a>"],
      ]);
      upstream.sendHeaders(1, OK_HEADERS);
      upstream.sendHeaders(1, OK_TRAILERS, Bit.END_STREAM);
      const { sections } = await client.outcome(1);
      assert.deepEqual(sections, [
        [[":status", "100"]],
        [
          [":status", "103"],
          ["link", "</a>"],
        ],
        OK_HEADERS,
        OK_TRAILERS,
      ]);
    },
    verdict: "ignored",
    call: "status 0",
  },
];

const ends: UpstreamCase[] = [
  malformed("8.1 a pseudo-header in trailers", OK_HEADERS, [...OK_TRAILERS, [":status", "200"]]),
  malformed("8.1 a second head", OK_HEADERS, OK_HEADERS),
  malformed("8.1 trailers that do not end the stream", OK_HEADERS, OK_TRAILERS),
  {
    ...malformed("8.1.1 more data than content-length"),
    attack: (upstream) => {
      upstream.sendHeaders(1, [...OK_HEADERS, ["content-length", "3"]]);
      upstream.send(h2.data(1, Buffer.from("1234")));
    },
  },
  {
    ...malformed("8.1.1 less data than content-length"),
    attack: (upstream) => {
      upstream.sendHeaders(1, [...OK_HEADERS, ["content-length", "5"]]);
      upstream.send(h2.data(1, Buffer.from("1234")));
      upstream.sendHeaders(1, OK_TRAILERS, Bit.END_STREAM);
    },
  },
];

const compression: UpstreamCase[] = [
  ...[
    ["index 0", Buffer.of(0x80)],
    ["an index beyond both tables", Buffer.of(0xc0)],
    ["a table size update above the limit", Buffer.of(0x3f, 0xe2, 0x1f)],
    ["bad Huffman padding", Buffer.from([0x00, 0x01, 0x78, 0x81, 0x18])],
  ].map(
    ([what, bytes]): UpstreamCase => ({
      rule: `RFC 7541: ${what}`,
      attack: (upstream) => {
        upstream.send(
          h2.frame(
            Type.HEADERS,
            Bit.END_HEADERS,
            1,
            Buffer.concat([bytes as Buffer, encodeHeaders(OK_HEADERS)]),
          ),
        );
      },
      verdict: { connection: "COMPRESSION_ERROR" },
      call: "status 14",
      message: /lost the connection to the upstream/,
    }),
  ),
  {
    rule: "10.5.1 a header list above the limit costs its call",
    attack: (upstream) => {
      const large = Array.from({ length: 10 }, (): Header => ["x-large", "v".repeat(15_000)]);
      upstream.sendHeaders(1, [...OK_HEADERS, ...large]);
    },
    verdict: { stream: 1, code: "ENHANCE_YOUR_CALM" },
    call: "status 8",
    message: /131072 bytes/,
  },
];

upstreamCases([...heads, ...ends, ...compression]);
