import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startEmbedded } from "../../src/embedded/server.ts";
import { codec } from "../../src/spec/codec.ts";
import { SAFE_DIALECT } from "../../src/upstream/dialect.ts";
import type { Blob, Upstream } from "../../src/upstream/port.ts";
import { UpstreamClient } from "../../src/upstream/upstream-client.ts";
import { formatDigest } from "../../src/wire/digest.ts";
import { DIGEST_FUNCTIONS } from "../../src/wire/digest-function.ts";
import { digestOf } from "../../src/wire/hasher.ts";
import { Status } from "../../src/wire/status.ts";
import { collect } from "../support/collect.ts";
import { GrpcCaller } from "../support/grpc-caller.ts";
import { MemoryUpstream } from "../support/memory-upstream.ts";

// What holds for every port: the real one, and the one in memory that translators are tested on.

const V2 = "build.bazel.remote.execution.v2";

const PORTS: Record<string, (t: TestContext) => Promise<Upstream>> = {
  "the port in memory": async () => new MemoryUpstream(),
  "the port to a server": async (t) => {
    const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
    const server = await startEmbedded({ level: "2.0", listen, dir: null });
    t.after(() => server.stop());
    const caller = new GrpcCaller(t, server.address);
    const dialect = { ...SAFE_DIALECT, batchRead: true, batchUpdate: true };
    return new UpstreamClient({ caller, dialect, instance: "", digestFunction: null });
  },
};

function blob(content: string | Buffer): Blob {
  const bytes = Buffer.from(content);
  const { hash, sizeBytes } = digestOf(bytes, DIGEST_FUNCTIONS[0]!);
  return { digest: { hash, sizeBytes }, bytes };
}

const [here, later, empty] = [blob("here"), blob("later"), blob("")];

for (const [name, open] of Object.entries(PORTS)) {
  test(`${name}: blobs are missing, then written, then there`, async (t) => {
    const port = await open(t);
    await port.writeBlob(here.digest, [Buffer.from("he"), Buffer.from("re")]);
    const asked = [later.digest, here.digest, empty.digest, later.digest];
    assert.deepEqual(await port.findMissing(asked), [later.digest, empty.digest, later.digest]);
    await port.writeBlobs([later, empty, later]);
    assert.deepEqual(await port.findMissing(asked), []);
    assert.equal((await port.readBlob(later.digest, 5)).toString(), "later");
    assert.equal(Buffer.concat(await collect(port.streamBlob(here.digest))).toString(), "here");
  });

  test(`${name}: many are read, each once, and what is wrong with one is told in its place`, async (t) => {
    const port = await open(t);
    await port.writeBlobs([here, blob("too long")]);
    const asked = [here, later, blob("too long"), here, empty].map(({ digest }) => digest);
    const read = await collect(port.readBlobs(asked, 5));
    assert.deepEqual(
      new Map(
        read.map((each) => [
          formatDigest(each.digest),
          "bytes" in each ? String(each.bytes) : each.error.code,
        ]),
      ),
      new Map<string, string | number>([
        [formatDigest(here.digest), "here"],
        [formatDigest(later.digest), Status.NOT_FOUND],
        [formatDigest(blob("too long").digest), Status.RESOURCE_EXHAUSTED],
        [formatDigest(empty.digest), ""],
      ]),
    );
    assert.equal(read.length, 4);
  });

  test(`${name}: each is stored by itself, and what is wrong with one is told of that one`, async (t) => {
    const port = await open(t);
    const parts = [Buffer.from("la"), Buffer.from("ter")];
    const stored = await collect(
      port.storeEach([
        { digest: here.digest, parts: [here.bytes] },
        { digest: { ...later.digest, sizeBytes: 7 }, parts },
        { digest: later.digest, parts },
        { digest: { hash: "no hash", sizeBytes: 1 }, parts: [Buffer.from("x")] },
      ]),
    );
    const codes = stored.map(
      ({ digest, error }) => [formatDigest(digest), error?.code ?? Status.OK] as const,
    );
    assert.deepEqual(
      new Map(codes),
      new Map<string, number>([
        [formatDigest(here.digest), Status.OK],
        [formatDigest({ ...later.digest, sizeBytes: 7 }), Status.INVALID_ARGUMENT],
        [formatDigest(later.digest), Status.OK],
        ["no hash/1", Status.INVALID_ARGUMENT],
      ]),
    );
    assert.deepEqual(await port.findMissing([here.digest, later.digest]), []);
  });

  test(`${name}: refusals`, async (t) => {
    const port = await open(t);
    await port.writeBlobs([here]);
    const refused = (promise: Promise<unknown>, code: number) =>
      assert.rejects(promise, { name: "UpstreamError", code });
    await refused(port.readBlob(later.digest, 100), Status.NOT_FOUND);
    await refused(collect(port.streamBlob(later.digest)), Status.NOT_FOUND);
    await refused(port.readBlob({ ...here.digest, sizeBytes: 0 }, 100), Status.NOT_FOUND);
    await refused(port.readBlob(here.digest, 3), Status.RESOURCE_EXHAUSTED);
    await refused(port.writeBlob(later.digest, [here.bytes]), Status.INVALID_ARGUMENT);
    await refused(port.writeBlob(here.digest, [later.bytes]), Status.INVALID_ARGUMENT);
    await refused(
      port.writeBlobs([{ digest: later.digest, bytes: Buffer.from("LATER") }]),
      Status.INVALID_ARGUMENT,
    );
    const wrong = { hash: here.digest.hash.toUpperCase(), sizeBytes: 4 };
    await refused(port.readBlob(wrong, 100), Status.INVALID_ARGUMENT);
    await refused(port.findMissing([wrong]), Status.INVALID_ARGUMENT);
    await refused(collect(port.readBlobs([wrong], 100)), Status.INVALID_ARGUMENT);
    await refused(port.writeBlobs([{ digest: wrong, bytes: here.bytes }]), Status.INVALID_ARGUMENT);
  });

  test(`${name}: a result is stored under its Action, and found there`, async (t) => {
    const port = await open(t);
    const command = blob("");
    const action = blob(codec("2.0").encode(`${V2}.Action`, { commandDigest: command.digest }));
    await port.writeBlobs([command, action]);
    const actionDigest = action.digest;
    const get = codec().encode(`${V2}.GetActionResultRequest`, { actionDigest });
    await assert.rejects(port.getActionResult(get), { code: Status.NOT_FOUND });
    const update = { actionDigest, actionResult: { exitCode: 7 } };
    const stored = await port.updateActionResult(codec().encode(`${V2}.UpdateActionResultRequest`, update));
    for (const result of [stored, await port.getActionResult(get)]) {
      assert.equal(codec().decode(`${V2}.ActionResult`, result).exitCode, 7);
    }
  });

  test(`${name}: a tree without what is missing of it`, async (t) => {
    const port = await open(t);
    const leaf = blob(codec().encode(`${V2}.Directory`, { symlinks: [{ name: "l", target: "t" }] }));
    const directories = [
      { name: "a", digest: leaf.digest },
      { name: "b", digest: later.digest },
    ];
    const root = blob(codec().encode(`${V2}.Directory`, { directories }));
    await port.writeBlobs([leaf, root]);
    const request = codec().encode(`${V2}.GetTreeRequest`, { rootDigest: root.digest });
    const responses = await collect(port.getTree(request));
    const found = responses.flatMap((bytes) => codec().decode(`${V2}.GetTreeResponse`, bytes).directories);
    assert.deepEqual(found.map(({ symlinks }) => symlinks.length).sort(), [0, 1]);
    const nothing = codec().encode(`${V2}.GetTreeRequest`, { rootDigest: later.digest });
    await assert.rejects(collect(port.getTree(nothing)), { code: Status.NOT_FOUND });
  });

  test(`${name}: operations and methods that are not there`, async (t) => {
    const port = await open(t);
    await assert.rejects(port.getOperation("nobody/knows"), { code: Status.NOT_FOUND });
    await assert.rejects(collect(port.waitExecution("nobody/knows")), { code: Status.NOT_FOUND });
    await assert.rejects(port.cancelOperation("nobody/knows"), { code: Status.NOT_FOUND });
    await assert.rejects(collect(port.call("/no.Such/Method", Buffer.alloc(0))), {
      code: Status.UNIMPLEMENTED,
    });
  });
}
