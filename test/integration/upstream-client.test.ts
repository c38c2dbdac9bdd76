import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { offeredFunctions } from "../../src/embedded/offered-functions.ts";
import { startEmbedded } from "../../src/embedded/server.ts";
import { codec } from "../../src/spec/codec.ts";
import { knows } from "../../src/spec/ledger.ts";
import { type Level, parseLevel } from "../../src/spec/versions.ts";
import { SAFE_DIALECT, type UpstreamDialect } from "../../src/upstream/dialect.ts";
import type { Blob } from "../../src/upstream/port.ts";
import { UpstreamClient } from "../../src/upstream/upstream-client.ts";
import { type Digest, formatDigest } from "../../src/wire/digest.ts";
import { DIGEST_FUNCTIONS, type DigestFunction } from "../../src/wire/digest-function.ts";
import { digestOf } from "../../src/wire/hasher.ts";
import { Status } from "../../src/wire/status.ts";
import { collect } from "../support/collect.ts";
import { GrpcCaller } from "../support/grpc-caller.ts";

const V2 = "build.bazel.remote.execution.v2";
const LEVELS = ["2018-11", "2.0", "2.3", "main"].map(parseLevel);
const SHA256 = DIGEST_FUNCTIONS[0]!;
const MEBI = 1024 * 1024;

/** How a server of the level is spoken to: as the port will be told once somebody knows the server. */
function dialectOf(level: Level): UpstreamDialect {
  return {
    maxMessageBytes: 4 * MEBI,
    maxBatchBytes: 3_932_160,
    batchRead: true,
    batchUpdate: true,
    digestFunctions: offeredFunctions(level).map(({ number }) => number),
    digestFunctionField: knows(level, `${V2}.FindMissingBlobsRequest.digest_function`),
    functionSegment: knows(level, "behaviour:function-segment"),
  };
}

interface Bed {
  readonly port: UpstreamClient;
  readonly caller: GrpcCaller;
}

async function bed(
  t: TestContext,
  level: Level,
  changes: Partial<UpstreamDialect> = {},
  digestFunction: DigestFunction | null = null,
): Promise<Bed> {
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const server = await startEmbedded({ level, listen, dir: null });
  t.after(() => server.stop());
  const caller = new GrpcCaller(t, server.address);
  const dialect = { ...dialectOf(level), ...changes };
  return { caller, port: new UpstreamClient({ caller, dialect, instance: "a/b", digestFunction }) };
}

/** A blob whose every byte depends on `seed`. */
function blob(seed: number, length: number, digestFunction: DigestFunction = SHA256): Blob {
  const bytes = Buffer.alloc(length, `${seed} of the test;`);
  const { hash, sizeBytes } = digestOf(bytes, digestFunction);
  return { digest: { hash, sizeBytes }, bytes };
}

const names = (digests: readonly Digest[]): string[] => digests.map(formatDigest);

for (const level of LEVELS) {
  test(`${level}: small and large blobs are missed, stored and read`, async (t) => {
    const { port, caller } = await bed(t, level);
    const blobs = [blob(1, 10), blob(2, 3_000_000), blob(3, 5 * MEBI), blob(4, 0)];
    const digests = blobs.map(({ digest }) => digest);
    const missing = await port.findMissing(digests);
    const emptyIsThere = knows(level, "behaviour:empty-blob");
    assert.deepEqual(names(missing), names(emptyIsThere ? digests.slice(0, 3) : digests));

    await port.writeBlobs(blobs);
    assert.deepEqual(await port.findMissing(digests), []);
    const read = await collect(port.readBlobs([...digests, ...digests], 8 * MEBI));
    assert.deepEqual(names(read.map(({ digest }) => digest)).sort(), names(digests).sort());
    for (const each of read) {
      assert.ok("bytes" in each, formatDigest(each.digest));
    }
    assert.ok((await port.readBlob(digests[2]!, 5 * MEBI)).equals(blobs[2]!.bytes));
    assert.ok(Buffer.concat(await collect(port.streamBlob(digests[2]!))).equals(blobs[2]!.bytes));
    assert.equal(caller.budget.used, 5 * MEBI);
    port.close();
    assert.equal(caller.budget.used, 0);
  });

  test(`${level}: without batch methods all goes by ByteStream`, async (t) => {
    const { port, caller } = await bed(t, level, { batchRead: false, batchUpdate: false });
    const blobs = Array.from({ length: 20 }, (_, index) => blob(index, 10 + index));
    await port.writeBlobs(blobs);
    const read = await collect(
      port.readBlobs(
        blobs.map(({ digest }) => digest),
        100,
      ),
    );
    assert.equal(read.filter((each) => "bytes" in each).length, 20);
    assert.deepEqual(
      [...new Set(caller.opened)],
      ["/google.bytestream.ByteStream/Write", "/google.bytestream.ByteStream/Read"],
    );
    assert.equal(caller.budget.used, 0);
    assert.ok(caller.budget.peak <= 8 * 30, "no more than eight blobs at a time");
  });

  test(`${level}: an action result is stored and found, and a miss is NOT_FOUND`, async (t) => {
    const { port } = await bed(t, level);
    const command = blob(1, 3);
    await port.writeBlob(command.digest, [command.bytes]);
    const action = codec(level).encode(`${V2}.Action`, { commandDigest: command.digest });
    const digest = digestOf(action, SHA256);
    const actionDigest = { hash: digest.hash, sizeBytes: digest.sizeBytes };
    await port.writeBlob(actionDigest, [action]);

    const get = codec().encode(`${V2}.GetActionResultRequest`, { instanceName: "other", actionDigest });
    await assert.rejects(port.getActionResult(get), { name: "UpstreamError", code: Status.NOT_FOUND });
    const update = codec().encode(`${V2}.UpdateActionResultRequest`, {
      actionDigest,
      actionResult: { exitCode: 7 },
    });
    await port.updateActionResult(update);
    const result = codec().decode(`${V2}.ActionResult`, await port.getActionResult(get));
    assert.equal(result.exitCode, 7);
  });

  test(`${level}: an execution sends operations, whose names lead to it`, async (t) => {
    const { port } = await bed(t, level);
    const command = codec(level).encode(`${V2}.Command`, { arguments: ["/bin/sh", "-c", "exit 3"] });
    const root = Buffer.alloc(0);
    const of = (bytes: Buffer) => {
      const { hash, sizeBytes } = digestOf(bytes, SHA256);
      return { hash, sizeBytes };
    };
    const action = codec(level).encode(`${V2}.Action`, {
      commandDigest: of(command),
      inputRootDigest: of(root),
    });
    await port.writeBlobs([command, root, action].map((bytes) => ({ digest: of(bytes), bytes })));
    const request = codec().encode(`${V2}.ExecuteRequest`, { actionDigest: of(action) });
    const operations = await collect(port.execute(request));
    const last = codec().decode("google.longrunning.Operation", operations.at(-1)!);
    assert.equal(last.done, true);
    const response = codec().decode(`${V2}.ExecuteResponse`, last.response!.value);
    assert.equal(response.result?.exitCode, 3);

    const again = codec().decode("google.longrunning.Operation", await port.getOperation(last.name));
    assert.equal(again.done, true);
    assert.equal((await collect(port.waitExecution(last.name))).length, 1);
    await assert.rejects(port.getOperation("nobody/knows"), { code: Status.NOT_FOUND });
  });

  test(`${level}: the tree below a root`, async (t) => {
    const { port } = await bed(t, level);
    const leaf = codec(level).encode(`${V2}.Directory`, { symlinks: [{ name: "l", target: "t" }] });
    const { hash, sizeBytes } = digestOf(leaf, SHA256);
    const root = codec(level).encode(`${V2}.Directory`, {
      directories: [{ name: "a", digest: { hash, sizeBytes } }],
    });
    const rootDigest = { hash: digestOf(root, SHA256).hash, sizeBytes: root.length };
    await port.writeBlobs([
      { digest: { hash, sizeBytes }, bytes: leaf },
      { digest: rootDigest, bytes: root },
    ]);
    const responses = await collect(port.getTree(codec().encode(`${V2}.GetTreeRequest`, { rootDigest })));
    const directories = responses.flatMap(
      (bytes) => codec(level).decode(`${V2}.GetTreeResponse`, bytes).directories,
    );
    assert.equal(directories.length, 2);
  });

  test(`${level}: capabilities, and any other call`, async (t) => {
    const { port } = await bed(t, level);
    const capabilities = codec(level).decode(`${V2}.ServerCapabilities`, await port.capabilities());
    assert.equal(capabilities.highApiVersion?.major, 2);
    await assert.rejects(collect(port.call("/no.Such/Method", Buffer.alloc(0))), {
      code: Status.UNIMPLEMENTED,
    });
  });

  test(`${level}: every digest function the server offers`, async (t) => {
    for (const digestFunction of offeredFunctions(level)) {
      const { port } = await bed(t, level, { maxBatchBytes: 1000 }, digestFunction);
      const blobs = [blob(1, 100, digestFunction), blob(2, 5000, digestFunction)];
      const digests = blobs.map(({ digest }) => digest);
      await port.writeBlobs(blobs);
      assert.deepEqual(await port.findMissing(digests), [], digestFunction.name);
      const read = await collect(port.readBlobs(digests, 5000));
      assert.deepEqual(
        read.map((each) => "bytes" in each),
        [true, true],
        digestFunction.name,
      );
    }
  });
}

test("an upstream of which nothing is known is spoken to so that each level understands", async (t) => {
  for (const level of LEVELS) {
    const { port } = await bed(t, level, SAFE_DIALECT);
    const blobs = [blob(1, 10), blob(2, 5 * MEBI)];
    const digests = blobs.map(({ digest }) => digest);
    assert.equal((await port.findMissing(digests)).length, 2);
    await port.writeBlobs(blobs);
    assert.deepEqual(await port.findMissing(digests), []);
    const read = await collect(port.readBlobs(digests, 5 * MEBI));
    assert.equal(read.filter((each) => "bytes" in each).length, 2, level);
  }
});

test("many digests are asked for in several calls, and the answers are one", async (t) => {
  const { port, caller } = await bed(t, "main", { maxMessageBytes: 1000 });
  const there = blob(1, 10);
  await port.writeBlob(there.digest, [there.bytes]);
  caller.opened.length = 0;
  const asked = Array.from({ length: 100 }, (_, index) =>
    index === 50 ? there.digest : blob(index + 2, 5).digest,
  );
  assert.deepEqual(names(await port.findMissing(asked)), names(asked.toSpliced(50, 1)));
  assert.equal(caller.opened.length, Math.ceil(100 / Math.floor(750 / 80)));
});

test("batches stay below the announced limit", async (t) => {
  const { port, caller } = await bed(t, "main", { maxBatchBytes: 64 * 1024 });
  const blobs = Array.from({ length: 20 }, (_, index) => blob(index, 10_000));
  blobs.push(blob(99, 64 * 1024));
  await port.writeBlobs(blobs);
  const writes = Object.groupBy(caller.opened, (path) => path);
  assert.equal(writes[`/${V2}.ContentAddressableStorage/BatchUpdateBlobs`]?.length, 4);
  assert.equal(writes["/google.bytestream.ByteStream/Write"]?.length, 1);
  caller.opened.length = 0;
  const digests = blobs.map(({ digest }) => digest);
  const read = await collect(port.readBlobs(digests, MEBI));
  assert.equal(read.filter((each) => "bytes" in each).length, 21);
  assert.equal(caller.opened.length, 5);
});

test("a blob that is there already may be written again, and one that is not what it is called is refused", async (t) => {
  const { port } = await bed(t, "main");
  const large = blob(1, 5 * MEBI);
  await port.writeBlob(large.digest, [large.bytes]);
  await port.writeBlob(large.digest, [large.bytes]);
  const wrong = { hash: large.digest.hash, sizeBytes: 4 };
  await assert.rejects(port.writeBlob(wrong, [Buffer.from("four")]), { code: Status.INVALID_ARGUMENT });
  await assert.rejects(port.writeBlobs([{ digest: wrong, bytes: Buffer.from("four") }]), {
    code: Status.INVALID_ARGUMENT,
  });
});

test("an upstream that is not there is UNAVAILABLE, in every place", async (t) => {
  const caller = new GrpcCaller(t, "127.0.0.1:1");
  const dialect = dialectOf("main");
  const port = new UpstreamClient({ caller, dialect, instance: "", digestFunction: null });
  const some = blob(1, 5);
  await assert.rejects(port.findMissing([some.digest]), { code: Status.UNAVAILABLE });
  await assert.rejects(port.writeBlob(some.digest, [some.bytes]), { code: Status.UNAVAILABLE });
  await assert.rejects(port.writeBlobs([some]), { code: Status.UNAVAILABLE });
  const [read] = await collect(port.readBlobs([some.digest], 100));
  assert.ok("error" in read! && read.error.code === Status.UNAVAILABLE);
  assert.equal(caller.budget.used, 0);
});
