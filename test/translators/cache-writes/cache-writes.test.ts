import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../../src/plan/plan.ts";
import { announce, editRequest } from "../../../src/plan/run-hooks.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { GET_CAPABILITIES, UPDATE_ACTION_RESULT } from "../../../src/translators/methods.ts";
import type { Call } from "../../../src/translators/translator.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { Status } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
type Result = Draft<Messages[`${typeof V2}.ActionResult`]>;

const ACTION = { hash: "ab".repeat(32), sizeBytes: 7n };
const evidence = "the test";
const needed = { cacheWrites: { made: true, needed: true, evidence } } as const;
const filled = { forms: { "cache-writes": { reads: ["filled"] } } };

const request = (actionResult: Result | null): Buffer =>
  codec().encode(`${V2}.UpdateActionResultRequest`, { actionDigest: ACTION, actionResult });

async function sent(pair: Plan, message: Buffer, port = new MemoryUpstream()): Promise<Buffer> {
  const method = pair.methods.get(UPDATE_ACTION_RESULT);
  return method === undefined ? message : editRequest(method, message, call(UPDATE_ACTION_RESULT, port));
}

const named = ({ hash, sizeBytes }: { hash: string; sizeBytes: number }) => ({
  hash,
  sizeBytes: BigInt(sizeBytes),
});

const oldToNew = plan(client({ level: "2.2" }), server({ level: "2.3" }));

test("given an older client's data inside of a result, when the server is a newer one, then they are stored apart and named", async () => {
  const upstream = new MemoryUpstream();
  const before: Result = {
    stdoutRaw: Buffer.from("out"),
    stderrRaw: Buffer.from("err"),
    outputFiles: [{ path: "a", contents: Buffer.from("content"), isExecutable: true }],
    exitCode: 1,
  };
  const edited = await sent(oldToNew, request(before), upstream);
  assert.deepEqual([...upstream.blobs.values()].map(String), ["out", "err", "content"]);
  const [out, err, content] = ["out", "err", "content"].map((text) => named(upstream.put(text)));
  assert.deepEqual(
    edited,
    request({
      stdoutDigest: out!,
      stderrDigest: err!,
      outputFiles: [{ path: "a", digest: content!, isExecutable: true }],
      exitCode: 1,
    }),
  );
  assert.equal(await sent(oldToNew, edited, upstream), edited);
});

test("given data that are named as well, then the name stays; given a name of something else, then both stay", async () => {
  const upstream = new MemoryUpstream();
  const out = named(upstream.put("out"));
  const both: Result = { stdoutRaw: Buffer.from("out"), stdoutDigest: out };
  assert.deepEqual(await sent(oldToNew, request(both), upstream), request({ stdoutDigest: out }));
  const odd = request({ stderrRaw: Buffer.from("err"), stderrDigest: out });
  assert.equal(await sent(oldToNew, odd, upstream), odd);
});

test("given a store that takes no blobs, or a function that cannot be computed, then the data stay where they are", async () => {
  const closed = new MemoryUpstream();
  closed.writeBlobs = () => Promise.reject(new UpstreamError(Status.PERMISSION_DENIED, "read only"));
  const message = request({ stdoutRaw: Buffer.from("out") });
  assert.equal(await sent(oldToNew, message, closed), message);
  const other = new MemoryUpstream();
  other.functionOf = () => ({ name: "VSO", number: 4, hexDigits: 66, segment: "vso", implicit: true });
  assert.equal(await sent(oldToNew, message, other), message);
});

test("given an older server, a newer client, or a result without data, then the request is the same buffer", async () => {
  const data = request({ stdoutRaw: Buffer.from("out") });
  assert.equal(await sent(plan(client({ level: "2.2" }), server({ level: "2.2" })), data), data);
  assert.equal(await sent(plan(client({ level: "2.3" }), server({ level: "2.2" })), data), data);
  for (const message of [
    request({ exitCode: 1, outputFiles: [{ path: "a", digest: ACTION }] }),
    request(null),
    hex(""),
  ])
    assert.equal(await sent(oldToNew, message), message);
});

test("given a server that takes an empty result for a broken one, then it gets the name of a worker", async () => {
  const worker = { executionMetadata: { worker: "unknown" } };
  for (const level of ["2.2", "2.3"] as const) {
    const pair = plan(client({ level }), server(filled));
    assert.deepEqual(await sent(pair, request({})), request(worker));
    assert.deepEqual(await sent(pair, request(null)), request(worker));
    const once = await sent(pair, request({}));
    assert.equal(await sent(pair, once), once);
    for (const result of [
      { exitCode: 1 },
      { outputDirectories: [{ path: "d" }] },
      { executionMetadata: {} },
    ]) {
      const message = request(result);
      assert.equal(await sent(pair, message), message);
    }
  }
  // action_result (3) with exit_code (4) 0 and empty stdout_raw (5): nothing once a server has written it anew.
  const explicit = Buffer.concat([request(null), hex("1a 04 20 00 2a 00")]);
  const edited = codec().decode(
    `${V2}.UpdateActionResultRequest`,
    await sent(plan(client(), server(filled)), explicit),
  );
  assert.equal(edited.actionResult?.executionMetadata?.worker, "unknown");
});

test("P04, P17: the overwrite bit passes, and an upstream that misses blobs of the action says so itself", async () => {
  const message = Buffer.concat([request({ exitCode: 1 }), hex("30 01")]);
  assert.equal(await sent(oldToNew, message), message);
  assert.ok(
    (await sent(oldToNew, Buffer.concat([request({ stdoutRaw: Buffer.from("x") }), hex("30 01")]))).includes(
      hex("30 01"),
    ),
  );
});

const announcing = (updateEnabled: boolean | null): Buffer =>
  codec().encode(`${V2}.ServerCapabilities`, {
    cacheCapabilities: {
      digestFunctions: [1],
      ...(updateEnabled !== null && { actionCacheUpdateCapabilities: { updateEnabled } }),
      maxBatchTotalSizeBytes: 1000n,
    },
  });

test("given a client that stops where it may not write, then it is told that it may; every other one is told the truth", () => {
  const same = { level: "2.0" } as const;
  const told = (pair: Plan, bytes: Buffer): boolean =>
    codec().decode(`${V2}.ServerCapabilities`, announce(pair, bytes)).cacheCapabilities!
      .actionCacheUpdateCapabilities?.updateEnabled === true;
  const stops = plan(client({ ...same, facts: needed }), server(same));
  const goesOn = plan(
    client({ ...same, facts: { cacheWrites: { made: true, needed: false, evidence } } }),
    server(same),
  );
  assert.deepEqual(
    [true, false, null].map((said) => told(stops, announcing(said))),
    [true, true, true],
  );
  assert.deepEqual(
    [true, false, null].map((said) => told(goesOn, announcing(said))),
    [true, false, false],
  );
  assert.equal(goesOn.methods.get(GET_CAPABILITIES), undefined);
  const once = announce(stops, announcing(false));
  assert.equal(announce(stops, once), once);
  // An answer without a part about the store stays without.
  assert.deepEqual(announce(stops, hex("12 02 08 01")), hex("12 02 08 01"));
});

test("given a server without the method, then others are told that nothing can be written, whatever it says itself", () => {
  const lacking = server({ level: "2.0", missingMethods: [UPDATE_ACTION_RESULT] });
  const pair = plan(client({ level: "2.0" }), lacking);
  assert.deepEqual(
    codec().decode(`${V2}.ServerCapabilities`, announce(pair, announcing(true))).cacheCapabilities!
      .actionCacheUpdateCapabilities?.updateEnabled,
    false,
  );
  assert.equal(pair.methods.get(UPDATE_ACTION_RESULT)?.lane, "reject");
});

/** The response to a write: what the upstream answers, or ends with, as the client gets it. */
async function written(
  pair: Plan,
  message: Buffer,
  of: Call,
  answers: () => AsyncIterable<Buffer>,
): Promise<Buffer[]> {
  const method = pair.methods.get(UPDATE_ACTION_RESULT)!;
  await editRequest(method, message, of);
  let messages = answers();
  for (const { response } of method.streams) {
    const slices = response!(messages, of, pair.pair);
    messages = (async function* () {
      for await (const parts of slices) yield Buffer.concat(parts);
    })();
  }
  return collect(messages);
}

async function* refusing(code: number): AsyncGenerator<Buffer> {
  yield* [];
  throw new UpstreamError(code, "no");
}

/** A call whose log is read. */
function logged(): { call: Call; lines: string[] } {
  const lines: string[] = [];
  const plain = call(UPDATE_ACTION_RESULT);
  const log = new Proxy(plain.log, {
    get: (target, name) =>
      name === "warn" ? (_: object, line: string) => lines.push(line) : Reflect.get(target, name),
  });
  return { call: { ...plain, log }, lines };
}

test("given such a client, when the upstream refuses its write, then it gets its result back, and the log says so once", async () => {
  const result = codec().encode(`${V2}.ActionResult`, { exitCode: 3 });
  for (const code of [Status.PERMISSION_DENIED, Status.UNIMPLEMENTED]) {
    const pair = plan(client({ level: "2.0", facts: needed }), server({ level: "2.0" }));
    const { call: of, lines } = logged();
    for (let write = 0; write < 2; write++) {
      const answer = await written(pair, request({ exitCode: 3 }), of, () => refusing(code));
      assert.deepEqual(answer, [result]);
    }
    assert.equal(lines.length, 1);
  }
});

test("given any other failure, or an answer, then the client gets that", async () => {
  const pair = plan(client({ level: "2.0", facts: needed }), server({ level: "2.0" }));
  for (const code of [Status.UNAVAILABLE, Status.FAILED_PRECONDITION, Status.UNAUTHENTICATED]) {
    const { call: of, lines } = logged();
    await assert.rejects(
      written(pair, request({ exitCode: 3 }), of, () => refusing(code)),
      { code },
    );
    assert.deepEqual(lines, []);
  }
  const changed = codec().encode(`${V2}.ActionResult`, { exitCode: 3, executionMetadata: { worker: "w" } });
  const answers = async function* () {
    yield changed;
  };
  assert.deepEqual(await written(pair, request({ exitCode: 3 }), call(UPDATE_ACTION_RESULT), answers), [
    changed,
  ]);
});

test("given a server without the method, then such a client gets its result back at once", async () => {
  const lacking = server({ level: "2.0", missingMethods: [UPDATE_ACTION_RESULT] });
  const pair = plan(client({ level: "2.0", facts: needed }), lacking);
  const method = pair.methods.get(UPDATE_ACTION_RESULT)!;
  assert.equal(method.lane, "local");
  const requests = (async function* () {})();
  const answer = await method.answers[0]!(
    request({ exitCode: 3 }),
    requests,
    call(UPDATE_ACTION_RESULT),
    pair.pair,
  );
  assert.deepEqual((await collect(answer!)).flat(), [codec().encode(`${V2}.ActionResult`, { exitCode: 3 })]);
});

test("given a client that is known to write nothing, then nothing is done to writes", () => {
  // Attributes of files would have results opened as well.
  const forms = { "node-properties": { reads: ["none"], writes: ["none"] } };
  const reader = client({ level: "2.1", forms, facts: { cacheWrites: { made: false, evidence } } });
  const calls = { required: ["ActionCache/GetActionResult"], evidence } as const;
  for (const from of [reader, client({ level: "2.1", forms, facts: { calls } })])
    assert.equal(plan(from, server({ level: "2.3" })).methods.get(UPDATE_ACTION_RESULT), undefined);
});
