import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatRfc3339, parseRfc3339 } from "../../../src/wire/rfc3339.ts";

test("times are written in UTC with the digits they need", () => {
  assert.equal(formatRfc3339(0n), "1970-01-01T00:00:00Z");
  assert.equal(formatRfc3339(1_500_000_000n), "1970-01-01T00:00:01.5Z");
  assert.equal(formatRfc3339(-1n), "1969-12-31T23:59:59.999999999Z");
  assert.equal(formatRfc3339(-62_135_596_800_000_000_000n), "0001-01-01T00:00:00Z");
});

test("texts are read whatever their offset and precision", () => {
  const texts = [
    "1970-01-01T01:00:00.25+01:00",
    "1969-12-31t23:00:00.250-01:00",
    "1970-01-01T00:00:00.2500000009Z",
  ];
  for (const text of texts) assert.equal(parseRfc3339(text), 250_000_000n, text);
  assert.equal(parseRfc3339("1969-12-31T23:59:59.5Z"), -500_000_000n);
});

test("what is no time is none", () => {
  const texts = [
    "",
    "1970-01-01",
    "1970-01-01T00:00:00",
    "1970-01-01 00:00:00Z",
    "1970-02-29T00:00:00Z",
    "1970-13-01T00:00:00Z",
    "1970-01-01T24:00:00Z",
    "1970-01-01T23:59:60Z",
    "1970-01-01T00:00:00+24:00",
    "1970-01-01T00:00:00+01:60",
    "1970-01-01T00:00:00.Z",
    "1970-01-01T00:00:00Z\n",
    "01970-01-01T00:00:00Z",
  ];
  for (const text of texts) assert.equal(parseRfc3339(text), null, text);
});

test("each time is read as it was written", () => {
  const times = fc.bigInt({ min: -62_135_596_800_000_000_000n, max: 253_402_300_799_999_999_999n });
  fc.assert(fc.property(times, (time) => assert.equal(parseRfc3339(formatRfc3339(time)), time)));
});
