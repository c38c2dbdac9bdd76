import assert from "node:assert/strict";
import { test } from "node:test";
import { actionLoads } from "../../../bench/actions/loads.ts";
import { actionOf, CALLS, type Form, treeOf, uploads } from "../../../bench/actions/messages.ts";
import { actionTable } from "../../../bench/actions/report.ts";
import type { ActionSample } from "../../../bench/actions/runs.ts";
import { serve } from "../../../bench/actions/upstream/grpc-server.ts";
import { MemoryServer } from "../../../bench/actions/upstream/memory-server.ts";
import { Connection } from "../../../src/client/connection.ts";
import { codec } from "../../../src/spec/codec.ts";
import { childrenOf, filesOf } from "../../../src/tree/directory.ts";
import { BATCH_UPDATE } from "../../../src/upstream/methods.ts";
import { formatDigest } from "../../../src/wire/digest.ts";
import { Status } from "../../../src/wire/status.ts";

const V2 = "build.bazel.remote.execution.v2";
const FORM: Form = { platform: "command", outputs: "lists" };

test("a tree has as many files as it is said to have, and shares nothing with another", () => {
  const tree = treeOf("one", 2_000);
  const stored = new Map(tree.map(({ digest, bytes }) => [formatDigest(digest), bytes]));
  assert.equal(stored.size, 200);
  let files = 0;
  const left = [tree[0]!.digest];
  for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
    const directory = stored.get(formatDigest(digest))!;
    files += filesOf(directory).length;
    left.push(...childrenOf(directory).map((child) => child.digest));
  }
  assert.equal(files, 2_000);
  for (const { digest } of treeOf("two", 2_000)) assert.ok(!stored.has(formatDigest(digest)));
});

test("the upstream answers Execute at once with the outputs that were declared, and counts what it is asked for", async (t) => {
  const server = new MemoryServer();
  const { port, close } = await serve((path, request) => server.answer(path, request));
  const connection = new Connection(`127.0.0.1:${port}`);
  t.after(() => {
    connection.close();
    close();
  });
  const root = treeOf("root", 10)[0]!;
  const [action, command] = actionOf("a", FORM, root.digest);
  for (const request of uploads([action, command, root])) await connection.unaryBytes(BATCH_UPDATE, request);
  server.takeUses();
  const { hash, sizeBytes } = action.digest;
  const actionDigest = { hash, sizeBytes: BigInt(sizeBytes) };
  const operations = [];
  for await (const operation of connection.stream<{ done: boolean; response: { value: Buffer } }>(
    CALLS.execute.path,
    { actionDigest },
  ))
    operations.push(operation);
  assert.equal(operations[0]?.done, true);
  const { result } = codec().decode(`${V2}.ExecuteResponse`, operations[0]!.response.value);
  assert.deepEqual(
    result?.outputFiles.map(({ path }) => path),
    ["out/a.d", "out/a.o"],
  );
  const found = await connection.unaryBytes(
    CALLS.lookUp.path,
    codec().encode(`${V2}.GetActionResultRequest`, { actionDigest }),
  );
  assert.equal(codec().decode(`${V2}.ActionResult`, found).outputFiles.length, 2);
  assert.deepEqual(server.takeUses().calls, { Execute: 1, GetActionResult: 1 });
  server.clear();
  await assert.rejects(connection.unary(CALLS.execute.path, { actionDigest }), { code: Status.NOT_FOUND });
});

test("a table says what each case costs more than relaying, and what it asks of the upstream", () => {
  const [load] = actionLoads(["execute-1"], [], []);
  const sample = (cpu: number, p50: number): ActionSample => ({
    ...{ cpu, calls: 10, rate: 1, p50, p99: 1, proxyBusy: 0.5, generatorBusy: 0.1, backendBusy: 0.1 },
    uses: { calls: { Execute: 10, FindMissingBlobs: 10 }, blobs: { read: 0, asked: 30, written: 0 } },
  });
  const outcomes = new Map(
    load!.variants.map(({ name }) => {
      const samples = name === "relay" ? [sample(2, 1_000)] : [sample(8, 3_500)];
      return [name, { samples, mebibytes: [], failures: [], failure: null }];
    }),
  );
  const lines = actionTable({ load: load!, outcomes }, 1).split("\n");
  const warm = lines.find((line) => line.startsWith("| platform warm"))!;
  assert.deepEqual(
    warm
      .split("|")
      .map((cell) => cell.trim())
      .slice(2, 9),
    ["8.00", "4.00", "–", "1.00", "3.50 / –", "2.50", "0, 1, 0, 1"],
  );
});
