import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeGrpcMessage,
  encodeGrpcMessage,
  parseStatusCode,
  Status,
  statusName,
} from "../../../src/wire/status.ts";

test("codes have the numbers and names of gRPC", () => {
  assert.equal(Status.OK, 0);
  assert.equal(Status.UNIMPLEMENTED, 12);
  assert.equal(Status.UNAUTHENTICATED, 16);
  Object.entries(Status).forEach(([name, code], index) => {
    assert.equal(code, index);
    assert.equal(statusName(code), name);
  });
  assert.equal(Object.keys(Status).length, 17);
  assert.equal(statusName(42), "code 42");
  assert.equal(statusName(-1), "code -1");
});

test("a grpc-status that is no known code is UNKNOWN", () => {
  assert.equal(parseStatusCode("0"), Status.OK);
  assert.equal(parseStatusCode("16"), Status.UNAUTHENTICATED);
  for (const value of ["17", "99", "100", "", "00", "05", "-1", "1.0", " 1", "1\n", "OK"]) {
    assert.equal(parseStatusCode(value), Status.UNKNOWN, value);
  }
});

for (const [message, value] of [
  ["", ""],
  ["plain text, with ~ and space", "plain text, with ~ and space"],
  ["100%", "100%25"],
  ["a\nb\tc\r\0", "a%0Ab%09c%0D%00"],
  ["naïve €", "na%C3%AFve %E2%82%AC"],
  ["\u007f", "%7F"],
  ["🙂", "%F0%9F%99%82"],
] as const) {
  test(`the message ${JSON.stringify(message)} travels as ${JSON.stringify(value)}`, () => {
    assert.equal(encodeGrpcMessage(message), value);
    assert.equal(decodeGrpcMessage(value), message);
  });
}

for (const [value, message] of [
  ["100%", "100%"],
  ["%2", "%2"],
  ["%zz%41", "%zzA"],
  ["%e2%82%ac", "€"],
  ["%E2%82", "\ufffd"],
  ["\u00e2\u0082\u00ac", "€"],
] as const) {
  test(`reads ${JSON.stringify(value)} from a careless sender as ${JSON.stringify(message)}`, () => {
    assert.equal(decodeGrpcMessage(value), message);
  });
}
