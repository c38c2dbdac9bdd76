import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { EXECUTE } from "../../../src/translators/methods.ts";
import type { ContentHooks } from "../../../src/translators/translator.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { addsArgument, ask, engineOf, execute, Farm, key, lookUp, readOperation, V2 } from "./support.ts";

// Results under keys of the bridge's own (K3), and the client's own entries before an execution: on demand.

/** Has results say that they went through the bridge. */
const stamped: ContentHooks = {
  result(result) {
    const read = codec().decode(`${V2}.ActionResult`, result);
    if (read.stderrRaw.length > 0) return null;
    return [codec().encode(`${V2}.ActionResult`, { ...read, stderrRaw: Buffer.from("stamped") })];
  },
};

const keeping = () => engineOf([addsArgument(), stamped], { aliases: true });

test("a result is found although the client's action is gone, by any replica", async () => {
  const farm = new Farm();
  const action = farm.action();
  await execute(keeping(), farm, action);
  farm.blobs.delete(key(action));
  assert.equal(Buffer.from((await lookUp(keeping(), farm, action)).stderrRaw).toString(), "stamped");
  await assert.rejects(lookUp(engineOf([addsArgument()]), farm, action), { code: Status.NOT_FOUND });
});

test("no entry of the client's own is touched", async () => {
  const farm = new Farm();
  const action = farm.action();
  await execute(keeping(), farm, action);
  assert.equal(farm.actionResults.size, 1);
  assert.ok(!farm.actionResults.has(key(action)));
  assert.ok(!farm.actionResults.has(key(farm.ran[0]!)));
});

test("a failure, and an action that is not to be cached, is not kept", async () => {
  const farm = new Farm();
  await execute(keeping(), farm, farm.action(null, "a", { doNotCache: true }));
  farm.response = { result: { exitCode: 1 } };
  await execute(engineOf([addsArgument()], { aliases: true }), farm, farm.action(null, "b"));
  farm.response = { status: { code: 4, message: "too late" }, result: { exitCode: 0 } };
  await execute(engineOf([addsArgument()], { aliases: true }), farm, farm.action(null, "c"));
  assert.equal(farm.actionResults.size, 0);
});

test("a later execution replaces what was kept", async () => {
  const farm = new Farm();
  const action = farm.action();
  const engine = engineOf([addsArgument()], { aliases: true });
  farm.response = { result: { exitCode: 0, stdoutRaw: Buffer.from("one") } };
  await execute(engine, farm, action);
  farm.response = { result: { exitCode: 0, stdoutRaw: Buffer.from("two") } };
  await execute(engine, farm, action);
  assert.equal(Buffer.from((await lookUp(engine, farm, action)).stdoutRaw).toString(), "two");
});

test("a cache that takes nothing does no harm", async () => {
  class ReadOnly extends Farm {
    override async updateActionResult(): Promise<Buffer> {
      throw new UpstreamError(Status.PERMISSION_DENIED, "read only");
    }
  }
  const farm = new ReadOnly();
  const [operation] = await execute(keeping(), farm, farm.action());
  assert.equal(operation!.response!.status, null);
});

test("an entry under the client's own key is found before anything runs, unless it is not wanted", async () => {
  const farm = new Farm();
  const action = farm.action();
  farm.actionResults.set(key(action), codec().encode(`${V2}.ActionResult`, { exitCode: 0 }));
  const [operation] = await execute(keeping(), farm, action);
  assert.equal(farm.executed.length, 0);
  assert.equal(operation!.done, true);
  assert.equal(operation!.response!.cachedResult, true);
  assert.deepEqual(operation!.actionDigest, { ...action });
  const request = codec().encode(`${V2}.ExecuteRequest`, { actionDigest: action, skipCacheLookup: true });
  const [ran] = (await ask(keeping(), EXECUTE, request, farm)).map(readOperation);
  assert.equal(ran!.response!.cachedResult, false);
  assert.equal(farm.executed.length, 1);
});
