import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  announcedVersion,
  atLeast,
  compareLevels,
  isLevel,
  LEVELS,
  type Level,
  NEWEST,
  parseLevel,
} from "../../../src/spec/versions.ts";

test("the levels are the versions of the schema history, in its order", () => {
  const history = JSON.parse(
    readFileSync(new URL("../../../spec-data/schema-history.json", import.meta.url), "utf8"),
  );
  assert.deepEqual(
    LEVELS,
    history.versions.map((version: { id: string }) => version.id),
  );
  assert.equal(NEWEST, LEVELS.at(-1));
});

test("levels compare as revisions, not as text or numbers", () => {
  const shuffled: Level[] = ["2.10", "main", "2.2", "2018-11", "2.9", "2.0", "2.12"];
  assert.deepEqual(shuffled.sort(compareLevels), ["2018-11", "2.0", "2.2", "2.9", "2.10", "2.12", "main"]);
  assert.equal(compareLevels("2.3", "2.3"), 0);
  assert.ok(atLeast("2.10", "2.9"));
  assert.ok(atLeast("2.9", "2.9"));
  assert.ok(!atLeast("2018-11", "2.0"));
  assert.ok(atLeast("main", "2.12"));
});

test("a level is read in the forms people write it", () => {
  for (const level of LEVELS) assert.equal(parseLevel(level), level);
  assert.equal(parseLevel("v2.3"), "2.3");
  assert.equal(parseLevel(" 2.0.0 "), "2.0");
  assert.equal(parseLevel("v2.11.0-rc2"), "2.11");
});

test("anything else is refused with the list of levels", () => {
  for (const text of ["", "2", "2.13", "3.0", "2.0.x", "vmain", "toString", "2.1.0-beta"]) {
    assert.equal(isLevel(text), false);
    assert.throws(() => parseLevel(text), {
      name: "RangeError",
      message: `unknown API level "${text}"; the levels are ${LEVELS.join(", ")}`,
    });
  }
});

test("the ends of the scale announce numbered versions", () => {
  assert.deepEqual(announcedVersion("2018-11"), { major: 2, minor: 0 });
  assert.deepEqual(announcedVersion("2.10"), { major: 2, minor: 10 });
  assert.deepEqual(announcedVersion("main"), { major: 2, minor: 12 });
});
