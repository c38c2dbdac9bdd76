import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { GET_ACTION_RESULT, UPDATE_ACTION_RESULT } from "../../../src/translators/methods.ts";
import type { ContentHooks } from "../../../src/translators/translator.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import {
  addsArgument,
  ask,
  engineOf,
  execute,
  Farm,
  key,
  lookUp,
  type MessageDigest,
  seven,
  V2,
} from "./support.ts";

const result = (exitCode: number): Buffer => codec().encode(`${V2}.ActionResult`, { exitCode });

/** Has the farm know the result of what runs in place of an action. */
async function built(farm: Farm, action: MessageDigest, exitCode = 3): Promise<void> {
  await execute(engineOf([addsArgument()]), farm, action);
  farm.actionResults.set(key(farm.ran.at(-1)!), result(exitCode));
}

test("the result of what ran in place of an action is found, by any replica", async () => {
  const farm = new Farm();
  const action = farm.action();
  await built(farm, action);
  assert.equal((await lookUp(engineOf([addsArgument()]), farm, action)).exitCode, 3);
});

test("what is stored under the client's own key comes first", async () => {
  const farm = new Farm();
  const action = farm.action();
  await built(farm, action);
  farm.actionResults.set(key(action), result(4));
  assert.equal((await lookUp(engineOf([addsArgument()]), farm, action)).exitCode, 4);
});

test("a remembered action costs no read", async () => {
  const farm = new Farm();
  const action = farm.action();
  const engine = engineOf([addsArgument()]);
  await built(farm, action);
  await lookUp(engine, farm, action);
  const { length } = farm.read;
  await lookUp(engine, farm, action);
  assert.equal(farm.read.length, length);
});

test("a miss is a miss: nothing known, nothing readable, nothing mapped", async () => {
  const farm = new Farm();
  const engine = engineOf([addsArgument()]);
  await assert.rejects(lookUp(engine, farm, farm.action()), { code: Status.NOT_FOUND });
  const unknown = { hash: "ab".repeat(32), sizeBytes: 9n };
  await assert.rejects(lookUp(engine, farm, unknown), { code: Status.NOT_FOUND });
  await assert.rejects(lookUp(engine, farm, farm.store(Buffer.from([0x0a, 0xff]))), {
    code: Status.NOT_FOUND,
  });
});

test("an action that is not to be cached is not looked up under another key", async () => {
  const farm = new Farm();
  const action = farm.action(null, "a", { doNotCache: true });
  await built(farm, action);
  await assert.rejects(lookUp(engineOf([addsArgument()]), farm, action), { code: Status.NOT_FOUND });
});

test("the direct look-up's own error passes, unless the other look-up hits", async () => {
  class Down extends Farm {
    override async getActionResult(request: Buffer): Promise<Buffer> {
      const { actionDigest } = codec().decode(`${V2}.GetActionResultRequest`, request);
      if (key(actionDigest!) === down) throw new UpstreamError(Status.UNAVAILABLE, "down");
      return super.getActionResult(request);
    }
  }
  const farm = new Down();
  const action = farm.action();
  const down = key(action);
  await assert.rejects(lookUp(engineOf([addsArgument()]), farm, action), { code: Status.UNAVAILABLE });
  await built(farm, action);
  assert.equal((await lookUp(engineOf([addsArgument()]), farm, action)).exitCode, 3);
});

test("an action that the hooks refuse is a miss", async () => {
  const farm = new Farm();
  const refusing: ContentHooks = {
    action() {
      throw new UpstreamError(Status.INVALID_ARGUMENT, "no");
    },
  };
  await assert.rejects(lookUp(engineOf([refusing]), farm, farm.action()), { code: Status.NOT_FOUND });
});

test("a result that cannot be given the client's form is a miss that says why", async () => {
  const farm = new Farm();
  const broken: ContentHooks = {
    result() {
      throw new UpstreamError(Status.PERMISSION_DENIED, "read only");
    },
  };
  const action = farm.action();
  farm.actionResults.set(key(action), result(1));
  await assert.rejects(lookUp(engineOf([broken]), farm, action), {
    code: Status.NOT_FOUND,
    message: /cannot be given the client's form: read only/,
  });
});

test("what comes back of a write keeps its key and gets the client's form", async () => {
  const farm = new Farm();
  const action = farm.action();
  const request = codec().encode(`${V2}.UpdateActionResultRequest`, {
    actionDigest: action,
    actionResult: { exitCode: 5 },
  });
  const [answer] = await ask(engineOf([addsArgument(), seven]), UPDATE_ACTION_RESULT, request, farm);
  assert.equal(codec().decode(`${V2}.ActionResult`, answer!).exitCode, 7);
  assert.deepEqual([...farm.actionResults.keys()], [key(action)]);
});

test("the wish for no answer if nothing changed is dropped where results get another form", async () => {
  const farm = new Farm();
  const seen: Buffer[] = [];
  const action = farm.action();
  farm.actionResults.set(key(action), result(1));
  const plain = codec().encode(`${V2}.GetActionResultRequest`, { actionDigest: action });
  const wish = Buffer.concat([plain, Buffer.from([0xca, 0x3e, 0x01, 0x61])]);
  farm.getActionResult = async (request) => {
    seen.push(request);
    return result(1);
  };
  await ask(engineOf([seven]), GET_ACTION_RESULT, wish, farm);
  await ask(engineOf([addsArgument()]), GET_ACTION_RESULT, wish, farm);
  assert.deepEqual(seen[0], plain);
  assert.equal(seen[1], wish);
});

test("blobs that hooks make are stored, verified, and made again when they are gone", async () => {
  const farm = new Farm();
  const action = farm.action();
  farm.actionResults.set(key(action), result(1));
  let made = 0;
  const making: ContentHooks = {
    async result(_, { derive, digestOf }) {
      await derive("of a tree", async () => {
        made++;
        const bytes = Buffer.from("made");
        return { value: null, blobs: [{ digest: digestOf(bytes), bytes }] };
      });
      return null;
    },
  };
  const engine = engineOf([making]);
  const blob = () => [...farm.blobs.values()].find((bytes) => bytes.toString() === "made");
  await lookUp(engine, farm, action);
  assert.ok(blob());
  await lookUp(engine, farm, action);
  assert.equal(made, 1);
  for (const [name, bytes] of farm.blobs) if (bytes.toString() === "made") farm.blobs.delete(name);
  await lookUp(engine, farm, action);
  assert.equal(made, 2);
  assert.ok(blob());
});

test("each hook sees the client's messages as it got them on the way there, and what the hook after it made", async () => {
  const farm = new Farm();
  const seen: (readonly string[])[] = [];
  const looking = (add: string): ContentHooks => ({
    ...addsArgument(add),
    async result(_, { command }) {
      seen.push(codec().decode(`${V2}.Command`, (await command())!).arguments);
      return null;
    },
  });
  await execute(engineOf([looking("one"), looking("two")]), farm, farm.action());
  assert.deepEqual(seen, [["a", "one"], ["a"]]);
});

test("an entry of the client's own that a hook does not take gives way to the result of what ran", async () => {
  const farm = new Farm();
  const action = farm.action();
  const suspicious: ContentHooks = {
    result(_, { foreign }) {
      if (foreign) throw new UpstreamError(Status.NOT_FOUND, "from a run without the bridge");
      return null;
    },
  };
  await built(farm, action);
  farm.actionResults.set(key(action), result(4));
  const engine = engineOf([addsArgument(), suspicious]);
  assert.equal((await lookUp(engine, farm, action)).exitCode, 3);
  farm.actionResults.delete(key(farm.ran[0]!));
  await assert.rejects(lookUp(engine, farm, action), {
    code: Status.NOT_FOUND,
    message: /from a run without the bridge/,
  });
  const request = codec().encode(`${V2}.UpdateActionResultRequest`, {
    actionDigest: action,
    actionResult: { exitCode: 5 },
  });
  const [answer] = await ask(engine, UPDATE_ACTION_RESULT, request, farm);
  assert.equal(codec().decode(`${V2}.ActionResult`, answer!).exitCode, 5);
});
