import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { allElements, ledgerEntry } from "../../../src/spec/ledger.ts";
import { client, plan, server } from "../support.ts";

const DIGEST = { hash: "ab".repeat(32), sizeBytes: 2n };

test("given a client with the old names and a server with the new ones, when it calls, then nothing looks at the call", () => {
  const { methods, decisions } = plan(client({ level: "2018-11" }), server({ level: "2.0" }));
  assert.ok(decisions.some(({ feature, verdict }) => feature === "renames" && verdict === "pass"));
  assert.ok([...methods.values()].every(({ features }) => !features.includes("renames")));
});

test("given a server with the old names, when a newer client calls, then nothing looks at the call for their sake", () => {
  const { methods } = plan(client({ level: "2.0" }), server({ level: "2018-11" }));
  assert.ok([...methods.values()].every(({ features }) => !features.includes("renames")));
});

test("given a request of a newer client, when an older peer reads it, then the renamed field means the same", () => {
  const name = "build.bazel.remote.execution.v2.BatchUpdateBlobsRequest";
  const bytes = codec("main").encode(name, { requests: [{ digest: DIGEST }] });
  const hash = (level: "2018-11" | "main") => codec(level).decode(name, bytes).requests[0]?.digest?.hash;
  assert.deepEqual([hash("2018-11"), hash("main")], [DIGEST.hash, DIGEST.hash]);
  assert.deepEqual(codec("2018-11").encode(name, { requests: [{ digest: DIGEST }] }), bytes);
});

test("everything that was renamed has had one number since its oldest name", () => {
  const renamed = allElements().filter((element) => ledgerEntry(element).formerly !== undefined);
  assert.ok(renamed.length > 10);
  for (const element of renamed) {
    const { drift, until } = ledgerEntry(element);
    assert.equal(drift?.includes("D04"), true, element);
    assert.equal(until, undefined, element);
  }
});
