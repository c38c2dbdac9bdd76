import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest, editResponse } from "../../../src/plan/run-hooks.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import { GET_ACTION_RESULT } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../../../src/wire/digest.ts";
import { Status } from "../../../src/wire/status.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import type { V2Message } from "../../support/reapi-client.ts";
import { directoryOf, type Plant, planted } from "../get-tree/trees.ts";
import { countedCall, endsIn } from "../served.ts";
import { client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";

const unsaid = plan(client(), server({ forms: { lifetimes: { writes: ["unsaid"] } } }));

const message = ({ hash, sizeBytes }: Digest) => ({ hash, sizeBytes: BigInt(sizeBytes) });
const resultOf = (result: Draft<V2Message<"ActionResult">>) => codec().encode(`${V2}.ActionResult`, result);

class Counting extends MemoryUpstream {
  asked: number[] = [];
  override async findMissing(digests: readonly Digest[]): Promise<Digest[]> {
    this.asked.push(digests.length);
    return super.findMissing(digests);
  }
}

/** The hit as the client gets it. */
async function hit(result: Buffer, upstream: MemoryUpstream, by = unsaid): Promise<Buffer> {
  const method = by.methods.get(GET_ACTION_RESULT)!;
  const { call, budget } = countedCall(GET_ACTION_RESULT, upstream);
  await editRequest(method, codec().encode(`${V2}.GetActionResultRequest`, {}), call);
  try {
    return await editResponse(method, result, call);
  } finally {
    assert.equal(budget.held, 0);
  }
}

const PLANT: Plant = { bin: { tool: "1", lib: { a: "2" } }, readme: "3" };

/** A result with all kinds of outputs, stored with every blob of it. */
function stored(upstream: MemoryUpstream): Buffer {
  const children: Draft<V2Message<"Directory">>[] = [];
  const root = directoryOf(PLANT, (bytes) => upstream.put(bytes));
  const digests = new MemoryUpstream();
  directoryOf(PLANT, (bytes) => digests.put(bytes));
  for (const bytes of digests.blobs.values())
    if (bytes.length > 10) children.push(codec().decode(`${V2}.Directory`, bytes));
  const tree = codec().encode(`${V2}.Tree`, { root: codec().decode(`${V2}.Directory`, root), children });
  // A Tree has its directories inside: they need not be blobs of their own.
  for (const [key, bytes] of digests.blobs) if (bytes.length > 10) upstream.blobs.delete(key);
  const file = { path: "out", digest: message(upstream.put("output")), contents: Buffer.from("output") };
  return resultOf({
    outputFiles: [file, { path: "empty", digest: message(upstream.put("")) }],
    outputDirectories: [
      { path: "tree", treeDigest: message(upstream.put(tree)) },
      { path: "root", rootDirectoryDigest: message(planted(upstream, { x: { y: { z: "4" } } })) },
    ],
    stdoutDigest: message(upstream.put("said")),
    stderrDigest: message(upstream.put("complained")),
  });
}

test("given a server that promises nothing, then a hit passes as it is once all its blobs are seen, in one question", async () => {
  const upstream = new Counting();
  const result = stored(upstream);
  upstream.blobs.delete(formatDigest(new MemoryUpstream().put("")));
  assert.equal(await hit(result, upstream), result);
  assert.deepEqual(upstream.asked, [upstream.blobs.size]);
});

test("given any one of its blobs gone, then the hit is a miss", async () => {
  const whole = new MemoryUpstream();
  const result = stored(whole);
  const keys = [...whole.blobs].flatMap(([key, bytes]) => (bytes.length === 0 ? [] : [key]));
  assert.ok(keys.length >= 11);
  for (const key of keys) {
    const upstream = new MemoryUpstream();
    stored(upstream);
    upstream.blobs.delete(key);
    const [code, text] = await endsIn(hit(result, upstream));
    assert.equal(code, Status.NOT_FOUND, key);
    assert.ok(text.includes(key), text);
  }
});

test("given a result, a Tree or a Directory that cannot be read, then it is a miss", async () => {
  const upstream = new MemoryUpstream();
  const broken = upstream.put("\x12\x7f");
  for (const result of [
    Buffer.from("\x12\x7f"),
    resultOf({ outputDirectories: [{ treeDigest: message(broken) }] }),
    resultOf({ outputDirectories: [{ rootDirectoryDigest: message(broken) }] }),
    resultOf({ stdoutDigest: { hash: "12", sizeBytes: 3n } }),
    resultOf({ outputDirectories: [{ treeDigest: { hash: "ab".repeat(32), sizeBytes: 1n << 40n } }] }),
  ]) {
    const [code] = await endsIn(hit(result, upstream));
    assert.equal(code, Status.NOT_FOUND);
  }
});

test("given more blobs than the bridge asks for, then it is a miss", async () => {
  const upstream = new MemoryUpstream();
  const digests = Array.from({ length: 250_001 }, (_, n) => ({
    hash: String(n).padStart(64, "0"),
    sizeBytes: 1n,
  }));
  const tree = (files: typeof digests) =>
    codec().encode(`${V2}.Tree`, { children: [{ files: files.map((digest) => ({ name: "f", digest })) }] });
  const trees = [digests.slice(0, 125_000), digests.slice(125_000)].map((half) => upstream.put(tree(half)));
  const result = resultOf({ outputDirectories: trees.map((each) => ({ treeDigest: message(each) })) });
  const [code, text] = await endsIn(hit(result, upstream));
  assert.equal(code, Status.NOT_FOUND);
  assert.match(text, /more than 250000 blobs/);
});

test("given a server that cannot be asked, then its error is the client's, and no miss", async () => {
  class Down extends MemoryUpstream {
    override async findMissing(): Promise<Digest[]> {
      throw new UpstreamError(Status.UNAVAILABLE, "down");
    }
  }
  const upstream = new Down();
  assert.deepEqual(await endsIn(hit(stored(upstream), upstream)), [Status.UNAVAILABLE, "down"]);
});

test("given a server whose level promises it, or of which nothing is known, then hits are checked where the operator wants it", async () => {
  for (const level of ["2.0", "2.12", null] as const) {
    const known = server({ level });
    assert.equal(
      plan(client(), known).methods.get(GET_ACTION_RESULT)?.features.includes("lifetimes") ?? false,
      false,
    );
    const required = plan(client(), known, { lifetimes: "require" });
    const [code] = await endsIn(
      hit(
        resultOf({ stdoutDigest: { hash: "ab".repeat(32), sizeBytes: 3n } }),
        new MemoryUpstream(),
        required,
      ),
    );
    assert.equal(code, Status.NOT_FOUND);
  }
});

test("given a server before 2.0, then its hits are checked for clients since then, unless the operator does not want it", () => {
  const old = server({ level: "2018-11" });
  const features = (from: ReturnType<typeof client>, policy = {}) =>
    plan(from, old, policy).methods.get(GET_ACTION_RESULT)?.features ?? [];
  assert.ok(features(client({ level: "2.0" })).includes("lifetimes"));
  assert.ok(!features(client({ level: "2018-11" })).includes("lifetimes"));
  assert.ok(!features(client({ level: "2.0" }), { lifetimes: "off" }).includes("lifetimes"));
});

test("given a server that is known to check its hits, then nobody does it again", () => {
  const known = server({ level: "2018-11", forms: { lifetimes: { writes: ["checked"] } } });
  const { methods } = plan(client(), known, { lifetimes: "require" });
  assert.ok(methods.get(GET_ACTION_RESULT)?.features.includes("lifetimes") !== true);
});
