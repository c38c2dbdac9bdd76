import assert from "node:assert/strict";
import { test } from "node:test";
import { editMetadata } from "../../src/plan/run-hooks.ts";
import { LEVELS } from "../../src/spec/versions.ts";
import { client, plan, server } from "../translators/support.ts";

// Laws of headers, for every pair of levels.

const METADATA = "build.bazel.remote.execution.v2.requestmetadata-bin";
const NAME = "build.bazel.remote.execution.v2.resource-name";
const HASH = "ab".repeat(32);

// tool_details (1) with a name, and a field that no revision has (100).
const VALUE = Buffer.from("0a050a03666f6fa20601ff", "hex").toString("base64");

/** What every level writes and reads alike. */
const COMMON = [
  ["authorization", "Bearer x"],
  [METADATA, VALUE],
  [NAME, `main/blobs/${HASH}/7`],
  ["x-unknown-bin", "AAE="],
] as const;

/** What has to be changed for some of them. */
const CHANGED = [
  [METADATA, Buffer.from(VALUE).toString("base64")],
  ["x-between", "1"],
  [NAME, `main/blobs/sha256/${HASH}/7`],
] as const;

for (const from of LEVELS) {
  test(`headers of a client of ${from} that all levels have alike pass as the same list; a second edit changes nothing`, () => {
    for (const to of LEVELS) {
      const pair = plan(client({ level: from }), server({ level: to }));
      assert.equal(editMetadata(pair, COMMON), COMMON, to);
      const once = editMetadata(pair, CHANGED);
      assert.equal(editMetadata(pair, once), once, to);
      assert.deepEqual(
        once.map(([name]) => name),
        CHANGED.map(([name]) => name),
      );
    }
  });
}
