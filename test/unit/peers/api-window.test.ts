import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type StatedWindow,
  sameWindow,
  sensible,
  sharedWindow,
  versionOfLevel,
  windowOf,
} from "../../../src/peers/api-window.ts";
import { parseVersion } from "../../../src/peers/version-range.ts";
import type { ApiWindow } from "../../../src/peers/version-rule.ts";
import type { Level } from "../../../src/spec/versions.ts";

/** A window as `DEPRECATED LOW HIGH`, with `-` for what is not stated. */
function window(text: string): ApiWindow {
  const [deprecated, low, high] = text
    .split(" ")
    .map((bound) => (bound === "-" ? null : parseVersion(bound)));
  return { deprecated: deprecated!, low: low!, high: high! };
}

function shown({ deprecated, low, high }: ApiWindow): string {
  return [deprecated, low, high].map((version) => version?.join(".") ?? "-").join(" ");
}

/** What is stated, the level that is known, and what a client can do something with. */
const WINDOWS: readonly (readonly [said: string, level: Level | null, sensible: string, what: string])[] = [
  ["2.2 2.3 2.12", null, "2.2 2.3 2.12", "a window in order stays"],
  ["2.0 2.0 2.0", null, "- 2.0 2.0", "what is deprecated lies below the low version or means nothing"],
  ["- 2.0 99.9", null, "- 2.0 2.12", "99.9 is no version that exists"],
  ["- 2.0 2.99", null, "- 2.0 2.12", "nor is 2.99"],
  ["- 3.0 3.1", null, "- 2.12 2.12", "a major of 3 at services of version 2 is at most the newest of those"],
  ["2.0 2.5 2.3", null, "2.0 2.3 2.3", "a low version above the high one is at most that"],
  ["2.7 2.3 2.5", null, "- 2.3 2.5", "a deprecated version above the others means nothing"],
  ["- - -", null, "- 2.0 2.0", "no versions at all are the first that was"],
  ["- - -", "2.3", "- 2.0 2.3", "no versions of a server whose level is known"],
  ["- - -", "2018-11", "- 2.0 2.0", "the level before there were versions"],
  ["- - -", "main", "- 2.0 2.12", "the newest level"],
  ["- 2.1 -", null, "- 2.1 2.1", "only the low version"],
  ["- - 2.3", null, "- 2.0 2.3", "only the high version"],
];

for (const [said, level, expected, what] of WINDOWS) {
  test(`${what}: ${said} becomes ${expected}`, () => {
    assert.equal(shown(sensible(window(said), level)), expected);
  });
}

test("the window in a server's facts is read as it stands, prereleases and all", () => {
  const evidence = "";
  assert.equal(shown(windowOf({ window: { low: "2.0", high: "2.3.0", evidence } })), "- 2.0 2.3.0");
  assert.equal(shown(windowOf({ window: { deprecated: "2.1.0-rc1", evidence } })), "2.1.0 - -");
  assert.equal(shown(windowOf({})), "- - -");
});

test("windows are the same to the minor version, and what is not stated is only like itself", () => {
  assert.ok(sameWindow(window("- 2.0 2.3"), window("- 2.0 2.3.1")));
  assert.ok(sameWindow(window("- - -"), window("- - -")));
  assert.ok(!sameWindow(window("- 2.0 2.3"), window("2.0 2.0 2.3")));
  assert.ok(!sameWindow(window("- 2.0 2.3"), window("- 2.0 2.4")));
  assert.ok(!sameWindow(window("- - 2.3"), window("- 2.0 2.3")));
});

const SHARED: readonly (readonly [windows: readonly string[], shared: string | null])[] = [
  [["- 2.0 2.3", "- 2.0 2.3"], "- 2.0 2.3"],
  [["- 2.0 2.3", "2.0 2.3 2.11"], "2.0 2.3 2.3"],
  [["2.0 2.3 2.11", "2.2 2.3 2.12"], "2.2 2.3 2.11"],
  [["- 2.0 2.0", "2.0 2.3 2.11"], null],
  [["2.0 2.3 2.11", "- 2.1 2.11"], "2.1 2.3 2.11"],
];

for (const [windows, expected] of SHARED) {
  test(`servers of ${windows.join(" and ")} share ${expected ?? "no version"}`, () => {
    const shared = sharedWindow(windows.map((text) => window(text) as StatedWindow));
    assert.equal(shared === null ? null : shown(shared), expected);
  });
}

test("levels have the version they are called by", () => {
  assert.deepEqual(versionOfLevel("2018-11"), [2, 0]);
  assert.deepEqual(versionOfLevel("2.10"), [2, 10]);
  assert.deepEqual(versionOfLevel("main"), [2, 12]);
});
