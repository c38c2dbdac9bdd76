import assert from "node:assert/strict";
import { test } from "node:test";
import {
  endsBefore,
  isInOrder,
  parseVersion,
  reaches,
  type VersionRange,
} from "../../../src/peers/version-range.ts";

const range = (from: string, to: string): VersionRange => ({
  from: parseVersion(from),
  to: parseVersion(to),
});

test("versions and dates are numbers; what follows them does not count", () => {
  assert.deepEqual(parseVersion("v2.16.0-rc1"), [2, 16, 0]);
  assert.deepEqual(parseVersion("2026-03-26"), [2026, 3, 26]);
  assert.equal(parseVersion("latest"), null);
});

test("numbers are compared as numbers", () => {
  assert.ok(reaches(range("2.9", "2.15"), [2, 10]));
  assert.ok(!reaches(range("2.10", "2.15"), [2, 9]));
});

test("an end holds all that begins with it", () => {
  assert.ok(reaches(range("2.2", "2.9"), [2, 9, 4]));
  assert.ok(reaches(range("2019-02-19", "2019-12"), [2019]));
  assert.ok(!reaches(range("2.2", "2.9"), [2, 10]));
});

test("open ends hold everything on their side", () => {
  assert.ok(reaches({ from: null, to: [2] }, [1]));
  assert.ok(reaches({ from: [2], to: null }, [99]));
  assert.ok(!reaches({ from: [2], to: null }, [1, 9]));
});

test("a range that shares a version with the next does not end before it", () => {
  assert.ok(endsBefore(range("1", "2.9"), range("2.10", "3")));
  assert.ok(!endsBefore(range("1", "2"), range("2.5", "3")));
  assert.ok(!endsBefore({ from: [1], to: null }, range("2", "3")));
  assert.ok(isInOrder(range("2.3.5", "2.3")));
  assert.ok(!isInOrder(range("3", "2.3")));
});
