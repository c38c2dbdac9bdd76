import assert from "node:assert/strict";
import { test } from "node:test";
import { GET_ACTION_RESULT } from "../../../src/translators/methods.ts";
import { collect } from "../../support/collect.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, originals, plan, resultOf, server } from "../support.ts";

// action_digest (2), include_timeline_data (1000), cached_action_result_digest (1001).
const DIGEST = "12 04 0a 02 61 62";
const TIMELINE = "c0 3e 01";
const CACHED = "ca 3e 04 0a 02 61 62";

test("given results that are translated, then the server is not told which one the client has; all else passes", async () => {
  const { methods } = plan(client({ level: "2.1" }), server({ level: "2.0" }));
  const sent: Buffer[] = [];
  const forward = async function* (request: Buffer) {
    sent.push(request);
    yield Buffer.alloc(0);
  };
  const without = hex(`${DIGEST} ${TIMELINE}`);
  for (const request of [hex(`${DIGEST} ${TIMELINE} ${CACHED}`), without])
    await collect(methods.get(GET_ACTION_RESULT)!.engine!(request, call(GET_ACTION_RESULT), forward));
  assert.deepEqual(sent, [without, without]);
});

test("given results that nobody edits, then the server may answer that nothing changed", () => {
  assert.equal(
    plan(client({ level: "2.9" }), server({ level: "2.9" })).methods.get(GET_ACTION_RESULT),
    undefined,
  );
});

test("P23: subactions and digests of vendors in a result stay, where other fields are translated", async () => {
  // exit_code (4), a link (10), subactions (99), action_result_digest (1000).
  const links = "52 06 0a 01 6c 12 01 74";
  const vendors = "9a 06 02 61 62 c2 3e 04 0a 02 61 62";
  const edited = await resultOf(
    plan(client({ level: "2.1" }), server({ level: "2.0" })),
    hex(`20 02 ${links} ${vendors}`),
    originals(new MemoryUpstream()),
  );
  assert.deepEqual(edited, hex(`20 02 ${links} 62 06 0a 01 6c 12 01 74 ${vendors}`));
});

test("P24: methods of proposals and services of vendors are in no plan: the upstream answers for itself", () => {
  const { methods } = plan(client({ level: "2018-11" }), server({ level: null }));
  for (const path of [
    "/build.bazel.remote.execution.v2.Execution/ExecuteWithDynamicRetrieval",
    "/build.bazel.remote.execution.v2.ActionCache/GetPotentialActionResults",
    "/build.bazel.remote.execution.v2.Execution/PublishOperation",
    "/buildstream.v2.ReferenceStorage/GetReference",
  ])
    assert.equal(methods.get(path), undefined);
});
