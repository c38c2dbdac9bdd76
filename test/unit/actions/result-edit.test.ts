import assert from "node:assert/strict";
import { test } from "node:test";
import { editResult, noteAction, type ResultHook, WITH_RESULTS } from "../../../src/actions/result-edit.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { EXECUTE, GET_ACTION_RESULT } from "../../../src/translators/methods.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { call } from "../../translators/support.ts";

const V2 = "build.bazel.remote.execution.v2";
const OPERATION = "google.longrunning.Operation";
const EXECUTE_RESPONSE = `type.googleapis.com/${V2}.ExecuteResponse`;

/** Sets the exit code to 7, unless it is that. */
const seven: ResultHook = (result) => {
  const edited = codec().encode(`${V2}.ActionResult`, { exitCode: 7 });
  return result.equals(edited) ? null : [edited];
};

function operation(typeUrl: string, response: Draft<Messages[`${typeof V2}.ExecuteResponse`]>): Buffer {
  const value = codec().encode(`${V2}.ExecuteResponse`, response);
  return codec().encode(OPERATION, { name: "o", done: true, response: { typeUrl, value } });
}

async function edited(
  method: string,
  message: Buffer,
  hooks: readonly ResultHook[] = [seven],
): Promise<Buffer | null> {
  const edit = await editResult(message, call(method), hooks);
  return edit === null ? null : Buffer.concat(edit);
}

test("the response of GetActionResult is the result itself", async () => {
  assert.deepEqual(
    await edited(GET_ACTION_RESULT, codec().encode(`${V2}.ActionResult`, { exitCode: 1 })),
    codec().encode(`${V2}.ActionResult`, { exitCode: 7 }),
  );
});

test("a result inside of an Operation is found, and all around it stays", async () => {
  const response = { cachedResult: true, message: "m" };
  assert.deepEqual(
    await edited(EXECUTE, operation(EXECUTE_RESPONSE, { ...response, result: { exitCode: 1 } })),
    operation(EXECUTE_RESPONSE, { ...response, result: { exitCode: 7 } }),
  );
});

test("where no result is, nothing changes", async () => {
  const running = codec().encode(OPERATION, { name: "o" });
  const failed = operation(EXECUTE_RESPONSE, { status: { code: 9 } });
  const other = operation("type.googleapis.com/vendor.Response", { result: { exitCode: 1 } });
  for (const message of [running, failed, other]) assert.equal(await edited(EXECUTE, message), null);
});

test("where no hook changes a result, nothing changes", async () => {
  const message = operation(EXECUTE_RESPONSE, { result: { exitCode: 7 } });
  for (const method of WITH_RESULTS) {
    const result = method.includes("ActionCache")
      ? codec().encode(`${V2}.ActionResult`, { exitCode: 7 })
      : message;
    assert.equal(await edited(method, result), null, method);
  }
});

test("each hook sees what the one before made", async () => {
  const seen: number[] = [];
  const look: ResultHook = (result) => {
    seen.push(codec().decode(`${V2}.ActionResult`, result).exitCode);
    return null;
  };
  await edited(GET_ACTION_RESULT, codec().encode(`${V2}.ActionResult`, { exitCode: 1 }), [look, seven, look]);
  assert.deepEqual(seen, [1, 7]);
});

/** What a hook is given of the client's own messages, for a GetActionResult about this action. */
async function originals(upstream: MemoryUpstream, actionDigest: { hash: string; sizeBytes: number }) {
  const asking = call(GET_ACTION_RESULT, upstream);
  noteAction(codec().encode(`${V2}.GetActionResultRequest`, { actionDigest }), asking);
  const found: (Buffer | null)[] = [];
  const look: ResultHook = async (_, { action, command }) => {
    found.push(await action(), await command());
    return null;
  };
  await editResult(Buffer.alloc(0), asking, [look]);
  return found;
}

test("a hook can read the client's Action and Command", async () => {
  const upstream = new MemoryUpstream();
  const command = codec().encode(`${V2}.Command`, { arguments: ["a"] });
  const action = codec().encode(`${V2}.Action`, { commandDigest: upstream.put(command) });
  assert.deepEqual(await originals(upstream, upstream.put(action)), [action, command]);
});

test("what is not there any more is null", async () => {
  const upstream = new MemoryUpstream();
  const commandDigest = { hash: "ab".repeat(32), sizeBytes: 4 };
  const action = codec().encode(`${V2}.Action`, { commandDigest });
  assert.deepEqual(await originals(upstream, upstream.put(action)), [action, null]);
  assert.deepEqual(await originals(upstream, commandDigest), [null, null]);
});
