import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContentCheck } from "../../../src/actions/prepare.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { codec } from "../../../src/spec/codec.ts";
import { EXECUTE } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { ask, engineOf, execute, Farm, V2 } from "./support.ts";

// What is refused in the Action that Execute names, in its Command and in its input tree.

const NOWHERE = { hash: "ab".repeat(32), sizeBytes: 5n };

const refusal = () =>
  new BridgeError({
    code: "output-unsupported",
    feature: "a-test",
    drift: "D24",
    used: "It",
    since: null,
    has: "it does not have it",
    fix: "do not",
    field: null,
  });

/** Finds actions whose command says this, and directories that hold it. */
function looksFor(text: string) {
  const checks: ContentCheck[] = [
    { in: "action", found: (_, command) => command.includes(text), refusal },
    { in: "directory", found: (directory) => directory.includes(text), refusal },
  ];
  return engineOf([], { checks });
}

const code = (expected: string) => (error: unknown) =>
  error instanceof BridgeError && error.facts.code === expected;

test("an action is refused for what its command says", async () => {
  const farm = new Farm();
  await assert.rejects(execute(looksFor("bad"), farm, farm.action(null, "bad")), code("output-unsupported"));
  assert.equal(farm.executed.length, 0);
  await execute(looksFor("bad"), farm, farm.action(null, "good"));
  assert.equal(farm.executed.length, 1);
});

test("an action is refused for what lies deep in its inputs", async () => {
  const farm = new Farm();
  const bad = farm.store(codec().encode(`${V2}.Directory`, { files: [{ name: "bad", digest: NOWHERE }] }));
  const root = farm.directory(farm.directory(), farm.directory(bad));
  await assert.rejects(execute(looksFor("bad"), farm, farm.action(root)), code("output-unsupported"));
  await execute(looksFor("worse"), farm, farm.action(root));
});

test("each directory is read once, and never again for another action", async () => {
  const farm = new Farm();
  const shared = farm.directory(farm.directory(farm.store(Buffer.from([0x0a, 0x00]))));
  const root = farm.directory(shared, shared, shared);
  const engine = looksFor("bad");
  await execute(engine, farm, farm.action(root));
  // Action, Command, root, shared, the two below it.
  assert.equal(farm.read.length, 6);
  await execute(engine, farm, farm.action(root));
  assert.equal(farm.read.length, 6);
  await execute(engine, farm, farm.action(root, "another"));
  assert.equal(farm.read.length, 8);
});

test("what was refused is refused again", async () => {
  const farm = new Farm();
  const engine = looksFor("bad");
  const action = farm.action(null, "bad");
  for (let time = 0; time < 2; time++)
    await assert.rejects(execute(engine, farm, action), code("output-unsupported"));
});

test("without a check of directories none is read", async () => {
  const farm = new Farm();
  const engine = engineOf([], { checks: [{ in: "action", found: () => false, refusal }] });
  await execute(engine, farm, farm.action(NOWHERE));
  assert.equal(farm.read.length, 2);
});

test("what is missing is named as a server would name it", async () => {
  const farm = new Farm();
  await assert.rejects(execute(looksFor("bad"), farm, NOWHERE), (error) => {
    assert.ok(error instanceof BridgeError);
    assert.equal(error.status, Status.FAILED_PRECONDITION);
    assert.deepEqual(error.facts.missing, [
      { type: "MISSING", subject: `blobs/${NOWHERE.hash}/5`, description: "" },
    ]);
    return true;
  });
  const root = farm.directory(NOWHERE, { ...NOWHERE, sizeBytes: 6n });
  await assert.rejects(execute(looksFor("bad"), farm, farm.action(root)), (error) => {
    assert.equal((error as BridgeError).facts.missing?.length, 2);
    return true;
  });
});

test("the empty directory need not be stored", async () => {
  const farm = new Farm();
  await execute(looksFor("bad"), farm, farm.action({ hash: "e3b0c442".repeat(8), sizeBytes: 0n }));
  assert.equal(farm.read.length, 2);
});

test("other failures of the upstream are its own", async () => {
  class Refusing extends Farm {
    override async readBlob(): Promise<Buffer> {
      throw new UpstreamError(Status.UNAUTHENTICATED, "who are you?");
    }
  }
  const farm = new Refusing();
  await assert.rejects(execute(looksFor("bad"), farm, farm.action()), { code: Status.UNAUTHENTICATED });
});

test("what is held while a tree is read is given back", async () => {
  const farm = new Farm();
  let held = 0;
  let most = 0;
  const budget = {
    free: 1e9,
    charge(bytes: number) {
      held += bytes;
      most = Math.max(most, held);
    },
  };
  const root = farm.directory(farm.directory(), farm.directory(NOWHERE));
  await assert.rejects(execute(looksFor("bad"), farm, farm.action(root), { budget }));
  assert.ok(most > 0);
  assert.equal(held, 0);
});

test("a request without an action is left to the server", async () => {
  const farm = new Farm();
  farm.onExecute = () => [Buffer.from([1])];
  assert.deepEqual(await ask(looksFor("bad"), EXECUTE, Buffer.alloc(0), farm), [Buffer.from([1])]);
});
