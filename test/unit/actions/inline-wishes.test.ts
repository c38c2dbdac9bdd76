import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import {
  EXECUTE,
  GET_ACTION_RESULT,
  GET_OPERATION,
  UPDATE_ACTION_RESULT,
} from "../../../src/translators/methods.ts";
import type { ContentHooks, InlineWishes } from "../../../src/translators/translator.ts";
import { hex } from "../wire/support.ts";
import { ask, engineOf, Farm, key, V2 } from "./support.ts";

/** What a result hook is told of the wishes of a call. */
async function told(path: string, request: Buffer, farm: Farm): Promise<InlineWishes[]> {
  const seen: InlineWishes[] = [];
  const hook: ContentHooks = {
    result(_, { inlined }) {
      seen.push(inlined);
      return null;
    },
  };
  await ask(engineOf([hook]), path, request, farm);
  return seen;
}

const NONE = { stdout: false, stderr: false, files: [] };

test("hooks of results are told what a request wants inlined, by the client's own names", async () => {
  const farm = new Farm();
  const actionDigest = farm.action();
  farm.actionResults.set(key(actionDigest), Buffer.alloc(0));
  const wishes = { inlineStdout: true, inlineOutputFiles: ["a", "b/c"] };
  const lookUp = codec().encode(`${V2}.GetActionResultRequest`, { actionDigest, ...wishes });
  const wanted = { stdout: true, stderr: false, files: ["a", "b/c"] };
  assert.deepEqual(await told(GET_ACTION_RESULT, lookUp, farm), [wanted]);
  const execution = codec().encode(`${V2}.ExecuteRequest`, { actionDigest, ...wishes, inlineStderr: true });
  assert.deepEqual(await told(EXECUTE, execution, farm), [{ ...wanted, stderr: true }]);
});

test("where nothing is wanted, or the call has no such wishes, they are told that", async () => {
  const farm = new Farm();
  const actionDigest = farm.action();
  farm.actionResults.set(key(actionDigest), Buffer.alloc(0));
  // inline_stdout (3) as false, inline_stderr (4) as text, inline_output_files (5) as a number.
  const odd = Buffer.concat([
    codec().encode(`${V2}.GetActionResultRequest`, { actionDigest }),
    hex("18 00 22 01 61 28 01"),
  ]);
  assert.deepEqual(await told(GET_ACTION_RESULT, odd, farm), [NONE]);
  const update = codec().encode(`${V2}.UpdateActionResultRequest`, { actionDigest, actionResult: {} });
  assert.deepEqual(await told(UPDATE_ACTION_RESULT, update, farm), [NONE]);
  farm.operation(actionDigest);
  const name = codec().encode("google.longrunning.GetOperationRequest", { name: "operations/0" });
  assert.deepEqual(await told(GET_OPERATION, name, farm), [NONE]);
});
