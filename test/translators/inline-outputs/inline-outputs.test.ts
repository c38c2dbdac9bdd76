import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { EXECUTE, GET_ACTION_RESULT } from "../../../src/translators/methods.ts";
import type { InlineWishes } from "../../../src/translators/translator.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { client, originals, plan, resultOf, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
type Result = Draft<Messages[`${typeof V2}.ActionResult`]>;

const encode = (result: Result): Buffer => codec().encode(`${V2}.ActionResult`, result);
const named = ({ hash, sizeBytes }: { hash: string; sizeBytes: number }) => ({
  hash,
  sizeBytes: BigInt(sizeBytes),
});
const GONE = { hash: "cd".repeat(32), sizeBytes: 5n };

const never = { inlineOutputs: { are: "never", evidence: "the test" } } as const;
const granting = plan(client(), server({ facts: never }), { "inline-outputs": "require" });

const upstream = new MemoryUpstream();
const out = named(upstream.put("out"));
const err = named(upstream.put("err"));
const file = named(upstream.put("content"));

const RESULT: Result = {
  stdoutDigest: out,
  stderrDigest: err,
  outputFiles: [
    { path: "a", digest: file, isExecutable: true },
    { path: "b", digest: file },
  ],
};

const seen = (pair: Plan, result: Result, inlined: Partial<InlineWishes>): Promise<Buffer> =>
  resultOf(pair, encode(result), originals(upstream, { inlined }));

test("given a server that inlines nothing, when the policy requires it, then what the request names is inlined and the digests stay", async () => {
  assert.deepEqual(
    await seen(granting, RESULT, { stdout: true, files: ["b", "nowhere", "../b"] }),
    encode({
      ...RESULT,
      stdoutRaw: Buffer.from("out"),
      outputFiles: [
        RESULT.outputFiles![0]!,
        { ...RESULT.outputFiles![1]!, contents: Buffer.from("content") },
      ],
    }),
  );
  assert.deepEqual(
    await seen(granting, RESULT, { stderr: true }),
    encode({ ...RESULT, stderrRaw: Buffer.from("err") }),
  );
});

test("given a wish that is granted already, or none, then the result is the same buffer", async () => {
  const whole = encode({ ...RESULT, stdoutRaw: Buffer.from("out") });
  assert.equal(await resultOf(granting, whole, originals(upstream, { inlined: { stdout: true } })), whole);
  assert.equal(await resultOf(granting, whole, originals(upstream)), whole);
  const bare = encode({ exitCode: 1, stdoutDigest: named(upstream.put("")) });
  const wishes = { inlined: { stdout: true, stderr: true, files: ["a"] } };
  assert.equal(await resultOf(granting, bare, originals(upstream, wishes)), bare);
});

test("given the policy that nobody set, then wishes pass and no call is opened for them", () => {
  for (const facts of [never, {}]) {
    const { methods, decisions } = plan(client({ level: "main" }), server({ level: "main", facts }));
    assert.deepEqual([methods.get(EXECUTE), methods.get(GET_ACTION_RESULT)], [undefined, undefined]);
    assert.ok(decisions.every(({ verdict }) => verdict === "native" || verdict === "pass"));
  }
});

test("given a server that reads hints of look-ups alone, then those of Execute are granted all the same; one that reads both is left alone", () => {
  const policy = { "inline-outputs": "require" } as const;
  const opened = (level: "2.8" | "2.9") =>
    plan(client({ level: "2.9" }), server({ level }), policy)
      .methods.get(EXECUTE)
      ?.features.includes("inline-outputs") ?? false;
  assert.deepEqual([opened("2.8"), opened("2.9")], [true, false]);
});

test("given more than fits, then the streams come first and what is left out stays a digest", async () => {
  const inlineOutputs = { are: "on-request", mostBytes: 10, evidence: "the test" } as const;
  const pair = plan(client({ level: "2.9" }), server({ level: "2.0", facts: { inlineOutputs } }), {
    "inline-outputs": "require",
  });
  const wishes = { stdout: true, stderr: true, files: ["a", "b"] };
  // 3 + 3 bytes fit; a file of 7 does not.
  assert.deepEqual(
    await seen(pair, RESULT, wishes),
    encode({ ...RESULT, stdoutRaw: Buffer.from("out"), stderrRaw: Buffer.from("err") }),
  );
  // What is there already takes its place.
  const full = { ...RESULT, stderrRaw: Buffer.from("12345678") };
  assert.deepEqual(await seen(pair, full, wishes), encode(full));
});

test("given blobs that are gone, or digests that are none, then the wish is left aside", async () => {
  const gone: Result = { stdoutDigest: GONE, stderrDigest: err };
  assert.deepEqual(
    await seen(granting, gone, { stdout: true, stderr: true }),
    encode({ ...gone, stderrRaw: Buffer.from("err") }),
  );
  const odd: Result = { stdoutDigest: { hash: "no hash", sizeBytes: 3n } };
  assert.deepEqual(await seen(granting, odd, { stdout: true }), encode(odd));
});

test("given a client that fetches no streams, then it gets them inlined without asking", async () => {
  const raw = plan(client({ forms: { "inline-outputs": { reads: ["raw"] } } }), server());
  const expected = encode({ ...RESULT, stdoutRaw: Buffer.from("out"), stderrRaw: Buffer.from("err") });
  assert.deepEqual(await seen(raw, RESULT, {}), expected);
  assert.equal(await resultOf(raw, expected, originals(upstream)), expected);
});

test("given a client that reads digests only, when an old server sends raw streams, then they are stored and named", async () => {
  const store = new MemoryUpstream();
  const pair = plan(
    client({ forms: { "inline-outputs": { reads: ["digests"] } } }),
    server({ level: "2018-11" }),
  );
  const result: Result = {
    stdoutRaw: Buffer.from("said"),
    stderrRaw: Buffer.from("err"),
    stderrDigest: err,
    exitCode: 2,
  };
  const once = await resultOf(pair, encode(result), originals(store));
  const said = store.put("said");
  assert.deepEqual(once, encode({ ...result, stdoutDigest: named(said) }));
  assert.deepEqual([...store.blobs.values()].map(String), ["said"]);
  assert.equal(await resultOf(pair, once, originals(store)), once);
});

test("given broken bytes, then they are no result; what nobody knows survives", async () => {
  const wishes = originals(upstream, { inlined: { stdout: true } });
  await assert.rejects(resultOf(granting, hex("32 7f"), wishes), { name: "WireError" });
  const unknown = hex("9a 06 03 61 62 63");
  const result = Buffer.concat([encode({ stdoutDigest: out }), unknown]);
  assert.ok((await resultOf(granting, result, wishes)).includes(unknown));
});
