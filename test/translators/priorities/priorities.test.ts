import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Plan } from "../../../src/plan/plan.ts";
import { announce, editRequest } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { EXECUTE, UPDATE_ACTION_RESULT } from "../../../src/translators/methods.ts";
import { hex } from "../../unit/wire/support.ts";
import { call, client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
const LEAST = -(2 ** 31);
const MOST = 2 ** 31 - 1;

const evidence = "the test";
const turned = { priorities: { are: "any", urgent: "highest", evidence } } as const;
const turnedFromZero = { priorities: { are: "not-negative", urgent: "highest", evidence } } as const;
const fromZero = { priorities: { are: "not-negative", evidence } } as const;
type Facts = NonNullable<Parameters<typeof server>[0]>["facts"];

const required = (facts: Facts): Plan => plan(client(), server({ facts: facts! }), { priorities: "require" });

const withPolicies = (execution: number, results: number): Buffer =>
  codec().encode(`${V2}.ExecuteRequest`, {
    instanceName: "main",
    executionPolicy: { priority: execution },
    resultsCachePolicy: { priority: results },
  });

async function sent(pair: Plan, request: Buffer, path = EXECUTE): Promise<Buffer> {
  const method = pair.methods.get(path);
  return method === undefined ? request : editRequest(method, request, call(path));
}

test("given a server to which the highest number is urgent, when the policy requires it, then priorities change their sign", async () => {
  assert.deepEqual(await sent(required(turned), withPolicies(-5, 7)), withPolicies(5, -7));
  assert.deepEqual(await sent(required(turned), withPolicies(LEAST, MOST)), withPolicies(MOST, -MOST));
});

test("given one that has no numbers below 0 as well, then what would be below is the default", async () => {
  // execution_policy (7) is there and empty: priority 0 has no bytes.
  assert.deepEqual(await sent(required(turnedFromZero), hex("3a 02 08 05")), hex("3a 00"));
  assert.deepEqual(await sent(required(turnedFromZero), withPolicies(-5, 0)), withPolicies(5, 0));
});

test("given a server without numbers below 0, then urgent actions have the most urgent one there is", async () => {
  assert.deepEqual(await sent(required(fromZero), withPolicies(-5, 7)), withPolicies(0, 7));
  const fine = withPolicies(5, 7);
  assert.equal(await sent(required(fromZero), fine), fine);
});

test("given a result that is stored, then the priority it is to be kept with is treated alike", async () => {
  // results_cache_policy (4) with priority -1 in ten bytes; overwrite (6) of the draft P17 behind it.
  const minusOne = "22 0b 08 ff ff ff ff ff ff ff ff ff 01";
  assert.deepEqual(
    await sent(required(turned), hex(`${minusOne} 30 01`), UPDATE_ACTION_RESULT),
    hex("22 02 08 01 30 01"),
  );
});

test("given the default, no policy, or fields of nobody's, then nothing changes", async () => {
  for (const request of [hex(""), hex("3a 00"), hex("3a 02 08 00"), hex("3a 04 0a 02 08 05"), hex("38 05")]) {
    assert.equal(await sent(required(turned), request), request);
  }
});

test("given the policy that nobody set, then priorities and ranges pass whatever the server makes of them", async () => {
  const bytes = codec().encode(`${V2}.ServerCapabilities`, {
    executionCapabilities: {
      executionPriorityCapabilities: { priorities: [{ minPriority: 0, maxPriority: 9 }] },
    },
  });
  for (const facts of [turned, turnedFromZero, fromZero]) {
    const pair = plan(client(), server({ facts }));
    assert.equal(pair.methods.get(EXECUTE), undefined);
    assert.equal(announce(pair, bytes), bytes);
  }
});

test("given ranges of the store and of executions, when priorities are turned around, then so are the ranges", () => {
  const capabilities = (cache: [number, number], ...executions: [number, number][]) => {
    const ranges = (list: [number, number][]) => ({
      priorities: list.map(([minPriority, maxPriority]) => ({ minPriority, maxPriority })),
    });
    return codec().encode(`${V2}.ServerCapabilities`, {
      cacheCapabilities: { cachePriorityCapabilities: ranges([cache]), maxBatchTotalSizeBytes: 9n },
      executionCapabilities: { executionPriorityCapabilities: ranges(executions), execEnabled: true },
    });
  };
  assert.deepEqual(
    announce(required(turned), capabilities([0, 0], [0, MOST], [-10, -3], [LEAST, MOST])),
    capabilities([0, 0], [-MOST, 0], [3, 10], [-MOST, MOST]),
  );
  const ranged = capabilities([0, 5], [0, MOST]);
  assert.equal(announce(required(fromZero), ranged), ranged);
  // A range without its bounds, and bounds of another type.
  for (const odd of ["12 04 1a 02 0a 00", "12 06 1a 04 0a 02 0a 00"])
    assert.deepEqual(announce(required(turned), hex(odd)), hex(odd));
});

test("the order of priorities is turned around, and never mixed up", async () => {
  const priority = fc.integer({ min: LEAST, max: MOST });
  const read = (request: Buffer): number =>
    codec().decode(`${V2}.ExecuteRequest`, request).executionPolicy?.priority ?? 0;
  await fc.assert(
    fc.asyncProperty(priority, priority, async (one, other) => {
      for (const facts of [turned, turnedFromZero]) {
        const [a, b] = [
          read(await sent(required(facts), withPolicies(one, 0))),
          read(await sent(required(facts), withPolicies(other, 0))),
        ];
        assert.ok(one === other ? a === b : one < other ? a >= b : a <= b);
      }
    }),
    { numRuns: 200 },
  );
});
