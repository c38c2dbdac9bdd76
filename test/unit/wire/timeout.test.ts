import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTimeout, parseTimeout } from "../../../src/wire/timeout.ts";
import { wireError } from "./support.ts";

for (const [value, milliseconds] of [
  ["1H", 3_600_000],
  ["1M", 60_000],
  ["20S", 20_000],
  ["1500m", 1500],
  ["250u", 0.25],
  ["1000000n", 1],
  ["0S", 0],
  ["00000001m", 1],
  ["99999999H", 99_999_999 * 3_600_000],
] as const) {
  test(`${value} is ${milliseconds} ms`, () => assert.equal(parseTimeout(value), milliseconds));
}

for (const value of [
  "",
  "1",
  "S",
  "-1S",
  "+1S",
  "1.5S",
  "1s",
  "1h",
  "1 S",
  " 1S",
  "1S ",
  "1S\n",
  "123456789m",
  "1mS",
  "0x1S",
  "٣S",
  "9".repeat(300),
]) {
  test(`refuses ${JSON.stringify(value.slice(0, 20))} of ${value.length}`, () => {
    assert.throws(() => parseTimeout(value), wireError("timeout", /^.{1,150}$/s));
  });
}

for (const [milliseconds, value] of [
  [0.0001, "1u"],
  [1, "1000u"],
  [99_999.999, "99999999u"],
  [100_000, "100000m"],
  [99_999_999, "99999999m"],
  [100_000_000, "100000S"],
  [100_000_001, "100001S"],
  [99_999_999_001, "1666667M"],
  [99_999_999 * 60_000 + 1, "1666667H"],
  [Number.MAX_VALUE, "99999999H"],
  [Number.POSITIVE_INFINITY, "99999999H"],
  [0, "0u"],
  [-5, "0u"],
] as const) {
  test(`${milliseconds} ms is written ${value}`, () => assert.equal(formatTimeout(milliseconds), value));
}
