import assert from "node:assert/strict";
import { test } from "node:test";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { recogniseClient } from "../../../src/peers/recognise-client.ts";

const profiles = shippedProfiles();

function names(toolName: string, toolVersion: string): string[] {
  return recogniseClient(profiles, toolName, toolVersion).map(({ name }) => name);
}

test("name and version lead to one range", () => {
  assert.deepEqual(names("bazel", "4.2.3"), ["bazel@4"]);
  assert.deepEqual(names("bazel", "release 8.5.0-pre.20260101"), ["bazel@8.6"]);
  assert.deepEqual(names("please", "17.12.0"), ["please@17"]);
});

test("a version that is no number leaves every range of the client open", () => {
  const all = profiles.ranges("client", "bazel").map(({ name }) => name);
  assert.deepEqual(names("bazel", "development version"), all);
  assert.deepEqual(names("bazel", ""), all);
});

test("a client whose version says nothing is known by its name", () => {
  assert.deepEqual(names("buck2", "0.1.0"), ["buck2"]);
  assert.deepEqual(names("pants", ""), ["pants@2.32", "pants@2.33"]);
});

test("other names, and versions before all ranges, are nobody's", () => {
  assert.deepEqual(names("bazelisk", "1.0"), []);
  assert.deepEqual(names("", ""), []);
  assert.deepEqual(names("bazel", "0.10.0"), []);
});
