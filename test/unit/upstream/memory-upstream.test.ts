import assert from "node:assert/strict";
import { test } from "node:test";
import { Status } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";

test("executions, operations and other calls do what the test says", async () => {
  const upstream = new MemoryUpstream();
  const request = Buffer.from("request");
  await assert.rejects(collect(upstream.execute(request)), { code: Status.UNIMPLEMENTED });
  await assert.rejects(collect(upstream.call("/a.B/C", request)), { code: Status.UNIMPLEMENTED });
  upstream.onExecute = () => [Buffer.from("operation")];
  assert.equal(String(await collect(upstream.execute(request))), "operation");
  assert.equal(upstream.executed.length, 2);
  await assert.rejects(upstream.getOperation("o"), { code: Status.NOT_FOUND });
  upstream.operations.set("o", Buffer.from("done"));
  assert.equal(String(await upstream.getOperation("o")), "done");
  assert.equal(String(await collect(upstream.waitExecution("o"))), "done");
  await upstream.cancelOperation("o");
  assert.deepEqual(upstream.cancelled, ["o"]);
  assert.equal((await upstream.capabilities()).length, 0);
});
