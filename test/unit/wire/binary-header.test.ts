import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBinaryHeader, encodeBinaryHeader } from "../../../src/wire/binary-header.ts";
import { wireError } from "./support.ts";

for (const [text, padded] of [
  ["", ""],
  ["a", "YQ=="],
  ["ab", "YWI="],
  ["abc", "YWJj"],
  ["\u00ff\u00fe\u00fb", "//77"],
  ["\u00fb\u00f0", "+/A="],
] as const) {
  test(`${JSON.stringify(text)}: written without padding, read with it or without`, () => {
    const bytes = Buffer.from(text, "latin1");
    const plain = padded.replace(/=+$/, "");
    assert.equal(encodeBinaryHeader(bytes), plain);
    assert.deepEqual(decodeBinaryHeader(plain), bytes);
    assert.deepEqual(decodeBinaryHeader(padded), bytes);
  });
}

for (const value of [
  "Y",
  "YWJjY",
  "YQ=",
  "YWJj=",
  "YWJj==",
  "YQ===",
  "=",
  "==",
  "Y=Q=",
  "YW Jj",
  "YWI,YWI",
  "_-_-",
  "YWJj\n",
]) {
  test(`refuses ${JSON.stringify(value)}`, () => {
    assert.throws(() => decodeBinaryHeader(value), wireError("base64"));
  });
}
