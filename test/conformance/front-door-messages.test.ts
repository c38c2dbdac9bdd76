import assert from "node:assert/strict";
import { request } from "../support/raw-h2/client.ts";
import { end } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { type FrontDoorCase, frontDoorCases, open, wholeCall } from "../support/raw-h2/front-door-cases.ts";
import type { Header } from "../support/raw-h2/hpack.ts";

// Malformed requests (RFC 9113 section 8): each costs its own stream and nothing else.

const { Bit } = h2;
const malformed = { stream: 1, code: "PROTOCOL_ERROR" } as const;

function badRequest(rule: string, headers: Header[]): FrontDoorCase {
  return { rule, send: (client) => client.sendHeaders(1, headers, Bit.END_STREAM), verdict: malformed };
}

function withHeader(rule: string, name: string, value: string): FrontDoorCase {
  return badRequest(rule, request(undefined, [[name, value]]));
}

function without(name: string): Header[] {
  return request().filter(([key]) => key !== name);
}

function withPseudo(name: string, value: string): Header[] {
  return [[name, value], ...request()];
}

const fields: FrontDoorCase[] = [
  withHeader("8.2.1 an upper-case name", "X-Upper", "1"),
  withHeader("8.2.1 a space in a name", "x bad", "1"),
  withHeader("8.2.1 a control character in a name", "x\x01bad", "1"),
  withHeader("8.2.1 a byte above 126 in a name", "x\xffbad", "1"),
  withHeader("8.2.1 a colon inside a name", "x:bad", "1"),
  withHeader("8.2.1 an empty name", "", "1"),
  withHeader("8.2.1 NUL in a value", "x-bad", "a\0b"),
  withHeader("8.2.1 LF in a value", "x-bad", "a\nb"),
  withHeader("8.2.1 CR in a value", "x-bad", "a\rb"),
  withHeader("8.2.1 a value that starts with a space", "x-bad", " a"),
  withHeader("8.2.1 a value that ends with a tab", "x-bad", "a\t"),
  ...["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"].map((name) =>
    withHeader(`8.2.2 the connection-specific header ${name}`, name, "x"),
  ),
  badRequest("8.2.2 te with another value than trailers", [...without("te"), ["te", "gzip"]]),
];

const pseudo: FrontDoorCase[] = [
  ...[":method", ":scheme", ":path"].map((name) => badRequest(`8.3.1 no ${name}`, without(name))),
  ...[":method", ":scheme", ":path", ":authority"].map((name) =>
    badRequest(`8.3.1 ${name} twice`, withPseudo(name, request().find(([key]) => key === name)![1])),
  ),
  badRequest("8.3.1 an empty :path", [...without(":path"), [":path", ""]].sort() as Header[]),
  badRequest("8.3 an unknown pseudo-header", withPseudo(":unknown", "1")),
  badRequest("8.3 a response's pseudo-header", withPseudo(":status", "200")),
  badRequest("8.3 a pseudo-header after a header", [...without(":path"), [":path", "/x"]]),
  {
    rule: "8.1 a pseudo-header in trailers",
    send: (client) => {
      open(client);
      client.sendHeaders(1, [[":path", "/x"]], Bit.END_STREAM);
    },
    verdict: malformed,
  },
  {
    rule: "8.1 an illegal header in trailers",
    send: (client) => {
      open(client);
      client.sendHeaders(1, [["Upper", "x"]], Bit.END_STREAM);
    },
    verdict: malformed,
  },
  {
    rule: "8.1 a second header list that does not end the stream",
    send: (client) => {
      open(client);
      client.sendHeaders(1, [["x-trailer", "1"]]);
    },
    verdict: malformed,
  },
];

function contentLength(rule: string, announced: string[], ...frames: Buffer[]): FrontDoorCase {
  return {
    rule,
    send: (client) => {
      client.sendHeaders(
        1,
        request(
          undefined,
          announced.map((value): Header => ["content-length", value]),
        ),
      );
      client.send(...frames);
    },
    verdict: malformed,
  };
}

const bodies: FrontDoorCase[] = [
  contentLength(
    "8.1.1 less data than content-length",
    ["5"],
    h2.data(1, Buffer.from("1234"), Bit.END_STREAM),
  ),
  contentLength("8.1.1 more data than content-length, in one frame", ["3"], h2.data(1, Buffer.from("1234"))),
  contentLength(
    "8.1.1 more data than content-length, in two frames",
    ["5"],
    h2.data(1, Buffer.from("123")),
    h2.data(1, Buffer.from("456"), Bit.END_STREAM),
  ),
  contentLength("8.1.1 no data, though content-length announced some", ["1"], end(1)),
  contentLength("8.1.1 two content-lengths that differ", ["1", "2"]),
  contentLength("8.1.1 a content-length that is no number", ["0x1"]),
  {
    rule: "8.1.1 the data ends with trailers before content-length is reached",
    send: (client) => {
      client.sendHeaders(1, request(undefined, [["content-length", "9"]]));
      client.send(h2.data(1, Buffer.from("1234")));
      client.sendHeaders(1, [["x-trailer", "1"]], Bit.END_STREAM);
    },
    verdict: malformed,
  },
  {
    rule: "8.1.1 a head that ends the stream, though content-length announced data",
    send: (client) => client.sendHeaders(1, request(undefined, [["content-length", "9"]]), Bit.END_STREAM),
    verdict: malformed,
  },
];

const legal: FrontDoorCase[] = [
  {
    rule: "8 what is unusual and legal goes through",
    send: async (client) => {
      client.sendHeaders(
        1,
        request(undefined, [
          ["content-length", "4"],
          ["x-empty", ""],
          ["!#$%&'*+-.^_`|~09", "x"],
        ]),
      );
      client.send(h2.data(1, Buffer.from("1234")));
      client.sendHeaders(1, [["x-trailer", "\xfe caf\xe9 \t x"]], Bit.END_STREAM);
      const record = await client.outcome(1);
      assert.equal(record.bytes().toString(), "1234");
      assert.equal(record.grpcStatus, 0);
      await wholeCall(client, 3);
    },
    verdict: "ignored",
  },
];

frontDoorCases([...fields, ...pseudo, ...bodies, ...legal]);
