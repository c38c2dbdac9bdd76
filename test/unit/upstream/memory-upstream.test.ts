import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { Status } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";

const V2 = "build.bazel.remote.execution.v2";

test("blobs: missing, written, read", async () => {
  const upstream = new MemoryUpstream();
  const here = upstream.put("here");
  const later = new MemoryUpstream().put("later");
  assert.deepEqual(await upstream.findMissing([here, later]), [later]);
  await assert.rejects(upstream.writeBlob(later, [Buffer.from("other")]), { code: Status.INVALID_ARGUMENT });
  await upstream.writeBlobs([{ digest: later, bytes: Buffer.from("later") }]);
  assert.equal((await upstream.readBlob(later, 5)).toString(), "later");
  await assert.rejects(upstream.readBlob(later, 4), { code: Status.RESOURCE_EXHAUSTED });
  assert.equal((await collect(upstream.readBlobs([here, later, here], 100))).length, 2);
  assert.equal(String(await collect(upstream.streamBlob(here))), "here");
});

test("a stored action result is found under its Action", async () => {
  const upstream = new MemoryUpstream();
  const { hash, sizeBytes } = upstream.put("action");
  const actionDigest = { hash, sizeBytes };
  const get = codec().encode(`${V2}.GetActionResultRequest`, { actionDigest });
  await assert.rejects(upstream.getActionResult(get), { code: Status.NOT_FOUND });
  const actionResult = { exitCode: 7 };
  await upstream.updateActionResult(
    codec().encode(`${V2}.UpdateActionResultRequest`, { actionDigest, actionResult }),
  );
  const result = codec().decode(`${V2}.ActionResult`, await upstream.getActionResult(get));
  assert.equal(result.exitCode, 7);
});

test("a tree is walked, without what is missing", async () => {
  const upstream = new MemoryUpstream();
  const leaf = upstream.put(codec().encode(`${V2}.Directory`, { symlinks: [{ name: "l", target: "t" }] }));
  const gone = new MemoryUpstream().put("gone");
  const directories = [
    { name: "a", digest: leaf },
    { name: "b", digest: gone },
  ];
  const rootDigest = upstream.put(codec().encode(`${V2}.Directory`, { directories }));
  const request = codec().encode(`${V2}.GetTreeRequest`, { rootDigest });
  const [response] = await collect(upstream.getTree(request));
  const tree = codec().decode(`${V2}.GetTreeResponse`, response!);
  assert.deepEqual(
    tree.directories.map(({ directories, symlinks }) => [directories.length, symlinks.length]),
    [
      [2, 0],
      [0, 1],
    ],
  );
});

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
