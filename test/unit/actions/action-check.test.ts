import assert from "node:assert/strict";
import { test } from "node:test";
import { ActionCheck } from "../../../src/actions/action-check.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { codec } from "../../../src/spec/codec.ts";
import { EXECUTE } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { call } from "../../translators/support.ts";

const V2 = "build.bazel.remote.execution.v2";
const NOWHERE = { hash: "ab".repeat(32), sizeBytes: 5n };

/** An upstream that counts the blobs that are asked for. */
class Counting extends MemoryUpstream {
  asked = 0;
  override readBlobs(
    ...args: Parameters<MemoryUpstream["readBlobs"]>
  ): ReturnType<MemoryUpstream["readBlobs"]> {
    this.asked += args[0].length;
    return super.readBlobs(...args);
  }

  store(bytes: Buffer): { hash: string; sizeBytes: bigint } {
    const { hash, sizeBytes } = this.put(bytes);
    return { hash, sizeBytes: BigInt(sizeBytes) };
  }

  directory(...children: { hash: string; sizeBytes: bigint }[]): { hash: string; sizeBytes: bigint } {
    const directories = children.map((digest, index) => ({ name: `${index}`, digest }));
    return this.store(codec().encode(`${V2}.Directory`, { directories }));
  }

  request(root: { hash: string; sizeBytes: bigint } | null, argument = "a"): Buffer {
    const commandDigest = this.store(codec().encode(`${V2}.Command`, { arguments: [argument] }));
    const actionDigest = this.store(codec().encode(`${V2}.Action`, { commandDigest, inputRootDigest: root }));
    return codec().encode(`${V2}.ExecuteRequest`, { actionDigest });
  }
}

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
const looksFor = (text: string) =>
  new ActionCheck([
    { in: "action", found: (_, command) => command.includes(text), refusal },
    { in: "directory", found: (directory) => directory.includes(text), refusal },
  ]);

const run = (check: ActionCheck, upstream: MemoryUpstream, request: Buffer) =>
  check.run(request, call(EXECUTE, upstream));

const code = (expected: string) => (error: unknown) =>
  error instanceof BridgeError && error.facts.code === expected;

test("an action is refused for what its command says", async () => {
  const upstream = new Counting();
  await assert.rejects(
    run(looksFor("bad"), upstream, upstream.request(null, "bad")),
    code("output-unsupported"),
  );
  await run(looksFor("bad"), upstream, upstream.request(null, "good"));
});

test("an action is refused for what lies deep in its inputs", async () => {
  const upstream = new Counting();
  const bad = upstream.store(
    codec().encode(`${V2}.Directory`, { files: [{ name: "bad", digest: NOWHERE }] }),
  );
  const root = upstream.directory(upstream.directory(), upstream.directory(bad));
  await assert.rejects(run(looksFor("bad"), upstream, upstream.request(root)), code("output-unsupported"));
  await run(looksFor("worse"), upstream, upstream.request(root));
});

test("each directory is read once, and never again for another action", async () => {
  const upstream = new Counting();
  const shared = upstream.directory(upstream.directory(upstream.store(Buffer.from([0x0a, 0x00]))));
  const root = upstream.directory(shared, shared, shared);
  const check = looksFor("bad");
  await run(check, upstream, upstream.request(root));
  // Action, Command, root, shared, the two below it.
  assert.equal(upstream.asked, 6);
  await run(check, upstream, upstream.request(root));
  assert.equal(upstream.asked, 6);
  await run(check, upstream, upstream.request(root, "another"));
  assert.equal(upstream.asked, 8);
});

test("what was refused is looked at again", async () => {
  const upstream = new Counting();
  const check = looksFor("bad");
  const request = upstream.request(null, "bad");
  for (let time = 0; time < 2; time++)
    await assert.rejects(run(check, upstream, request), code("output-unsupported"));
});

test("without a check of directories none is read", async () => {
  const upstream = new Counting();
  const check = new ActionCheck([{ in: "action", found: () => false, refusal }]);
  await run(check, upstream, upstream.request(NOWHERE));
  assert.equal(upstream.asked, 2);
});

test("what is missing is named as a server would name it", async () => {
  const upstream = new Counting();
  const request = codec().encode(`${V2}.ExecuteRequest`, { actionDigest: NOWHERE });
  await assert.rejects(run(looksFor("bad"), upstream, request), (error) => {
    assert.ok(error instanceof BridgeError);
    assert.equal(error.status, Status.FAILED_PRECONDITION);
    assert.deepEqual(error.facts.missing, [
      { type: "MISSING", subject: `blobs/${NOWHERE.hash}/5`, description: "" },
    ]);
    return true;
  });
  const root = upstream.directory(NOWHERE, { ...NOWHERE, sizeBytes: 6n });
  await assert.rejects(run(looksFor("bad"), upstream, upstream.request(root)), (error) => {
    assert.equal((error as BridgeError).facts.missing?.length, 2);
    return true;
  });
});

test("the empty directory need not be stored", async () => {
  const upstream = new Counting();
  await run(looksFor("bad"), upstream, upstream.request({ hash: "e3b0c442".repeat(8), sizeBytes: 0n }));
  assert.equal(upstream.asked, 2);
});

test("other failures of the upstream are its own", async () => {
  class Refusing extends Counting {
    override async readBlob(): Promise<Buffer> {
      throw new UpstreamError(Status.UNAUTHENTICATED, "who are you?");
    }
  }
  const upstream = new Refusing();
  await assert.rejects(run(looksFor("bad"), upstream, upstream.request(null)), {
    code: Status.UNAUTHENTICATED,
  });
});

test("what is held while a tree is read is given back", async () => {
  const upstream = new Counting();
  let held = 0;
  let most = 0;
  const budget = {
    free: 1e9,
    charge(bytes: number) {
      held += bytes;
      most = Math.max(most, held);
    },
  };
  const root = upstream.directory(upstream.directory(), upstream.directory(NOWHERE));
  const request = upstream.request(root);
  await assert.rejects(looksFor("bad").run(request, { ...call(EXECUTE, upstream), budget }));
  assert.ok(most > 0);
  assert.equal(held, 0);
});

test("a request without an action is left to the server", async () => {
  await run(looksFor("bad"), new Counting(), Buffer.alloc(0));
});
