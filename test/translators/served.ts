/** Calls that hooks of a plan serve: answers in place of the upstream, and exchanges around it. */

import assert from "node:assert/strict";
import type { Plan } from "../../src/plan/plan.ts";
import { editRequest } from "../../src/plan/run-hooks.ts";
import { BridgeError } from "../../src/spec/bridge-error.ts";
import type { Call, Forward } from "../../src/translators/translator.ts";
import { UpstreamError } from "../../src/upstream/upstream-error.ts";
import { collect } from "../support/collect.ts";
import type { MemoryUpstream } from "../support/memory-upstream.ts";
import { call } from "./support.ts";

/** Counts what is charged and given back. */
export class CountedBudget {
  free = Number.POSITIVE_INFINITY;
  held = 0;
  peak = 0;

  charge(bytes: number): void {
    this.held += bytes;
    this.peak = Math.max(this.peak, this.held);
  }
}

async function* each(messages: readonly Buffer[]): AsyncGenerator<Buffer, void, void> {
  yield* messages;
}

/** A call of a method, and what it has charged. */
export function countedCall(path: string, upstream: MemoryUpstream): { call: Call; budget: CountedBudget } {
  const budget = new CountedBudget();
  return { call: { ...call(path, upstream), budget }, budget };
}

/** The responses of the hook that answers a method, to requests in as many messages as given. What it charged it has given back at the end. */
export async function* answers(
  { methods, pair }: Plan,
  path: string,
  requests: readonly Buffer[],
  upstream: MemoryUpstream,
): AsyncGenerator<Buffer, void, void> {
  const { call: counted, budget } = countedCall(path, upstream);
  const [first, ...rest] = requests;
  try {
    const answer = await methods.get(path)!.answers[0]!(first!, each(rest), counted, pair);
    assert.ok(answer !== null);
    for await (const message of answer) yield Buffer.concat(message);
  } finally {
    assert.equal(budget.held, 0, "something is charged and not given back");
  }
}

/** The only response of {@link answers}. */
export async function answered(
  plan: Plan,
  path: string,
  requests: Buffer | readonly Buffer[],
  upstream: MemoryUpstream,
): Promise<Buffer> {
  const all = await collect(
    answers(plan, path, Array.isArray(requests) ? requests : [requests as Buffer], upstream),
  );
  assert.equal(all.length, 1);
  return all[0]!;
}

/** The responses of a method whose hook serves calls around the upstream, which `forward` plays. Requests are edited first, as in the bridge. */
export async function* exchanged(
  plan: Plan,
  path: string,
  requests: readonly Buffer[],
  upstream: MemoryUpstream,
  forward: Forward = lacking,
): AsyncGenerator<Buffer, void, void> {
  const { call: counted, budget } = countedCall(path, upstream);
  const method = plan.methods.get(path)!;
  const edited: Buffer[] = [];
  for (const request of requests)
    edited.push(await editRequest(method, request, counted, edited.length === 0));
  try {
    for await (const message of method.exchanges[0]!.serve(each(edited), counted, plan.pair, forward))
      yield Buffer.concat(message);
  } finally {
    assert.equal(budget.held, 0, "something is charged and not given back");
  }
}

/** An upstream that does not have the method. */
// biome-ignore lint/correctness/useYield: it only fails
export async function* lacking(): AsyncGenerator<Buffer> {
  throw new UpstreamError(12, "not there");
}

/** What serving ends in, which has to be an error of the upstream or of the bridge: its gRPC code, and its text. */
export async function endsIn(
  messages: AsyncIterable<Buffer> | Promise<unknown>,
): Promise<[code: number, text: string]> {
  try {
    if (messages instanceof Promise) await messages;
    else for await (const _ of messages);
  } catch (error) {
    if (error instanceof UpstreamError) return [error.code, error.message];
    if (error instanceof BridgeError) return [error.status, error.message];
    throw error;
  }
  throw new Error("it did not fail");
}
