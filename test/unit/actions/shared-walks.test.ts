import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Call } from "../../../src/translators/translator.ts";
import type { Blob } from "../../../src/upstream/port.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import type { Digest } from "../../../src/wire/digest.ts";
import { formatDigest } from "../../../src/wire/digest.ts";
import { Status } from "../../../src/wire/status.ts";
import type { MemoryUpstream } from "../../support/memory-upstream.ts";
import { encode, type Folder } from "../tree/support.ts";
import { engineOf, execute, Farm, withoutA } from "./support.ts";

// Executions at the same time whose cold input trees are one and the same.

const CALLERS = 50;

/** A farm that takes its time, and notes who asks it for what. */
class SlowFarm extends Farm {
  readonly stored: string[] = [];
  /** Reads of blobs, by whose call it was. */
  readonly readers = new Map<string, number>();
  refusesWrites = 0;

  /** The port of one call, which is of no use once that is cancelled. */
  portOf(who: string, cancelled: AbortSignal): MemoryUpstream {
    const check = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) await turn();
      if (cancelled.aborted) throw new UpstreamError(Status.CANCELLED, "the caller cancelled the call");
    };
    const port: Partial<MemoryUpstream> = {
      readBlobs: (digests, maxBytes) => this.reading(who, digests, maxBytes, check),
      findMissing: async (digests) => {
        await check();
        return this.findMissing(digests);
      },
      writeBlobs: async (blobs) => {
        await check();
        if (this.refusesWrites-- > 0) throw new UpstreamError(Status.UNAVAILABLE, "not now");
        for (const { digest } of blobs as Blob[]) this.stored.push(formatDigest(digest));
        return this.writeBlobs(blobs);
      },
    };
    return Object.assign(Object.create(this) as MemoryUpstream, port);
  }

  private async *reading(
    who: string,
    digests: readonly Digest[],
    maxBytes: number,
    check: () => Promise<void>,
  ) {
    await check();
    for await (const read of super.readBlobs(digests, maxBytes)) {
      this.readers.set(who, (this.readers.get(who) ?? 0) + 1);
      yield read;
    }
    await check();
  }
}

/** 20 directories of 15 directories of 10 files, one of which goes in each. */
function tree(): Folder {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);
  const leaf = (outer: string, inner: string): Folder => ({
    files: ["a", ...names(9).map((name) => `${outer}${inner}${name}`)],
    folders: {},
  });
  const branch = (outer: string): Folder => ({
    files: [],
    folders: Object.fromEntries(names(15).map((inner) => [inner, leaf(outer, inner)])),
  });
  return { files: [], folders: Object.fromEntries(names(20).map((outer) => [outer, branch(outer)])) };
}

const DIRECTORIES = 1 + 20 + 20 * 15;

/** A farm with the tree, as many actions over it, and calls of one caller or another. */
function setting() {
  const farm = new SlowFarm();
  const root = farm.store(encode(tree(), farm.blobs));
  const engine = engineOf([withoutA]);
  const run = (index: number, of: { who?: string; signal?: AbortSignal; traced?: string } = {}) => {
    const { who = "alice", signal = new AbortController().signal, traced = `${index}` } = of;
    const port = farm.portOf(who, signal);
    const call: Partial<Call> = {
      port,
      portFor: () => port,
      cancelled: signal,
      metadata: [
        ["authorization", `Bearer ${who}`],
        ["traceparent", traced],
        ["build.bazel.remote.execution.v2.requestmetadata-bin", `${index}`],
      ],
    };
    return execute(engine, farm, farm.action(root, `${index}`), call);
  };
  return { farm, run };
}

const indexes = Array.from({ length: CALLERS }, (_, index) => index);
/** An Action and a Command for each. */
const OWN = 2 * CALLERS;

function storedOnce({ stored }: SlowFarm): void {
  assert.equal(new Set(stored).size, stored.length, "something was stored twice");
}

test("given fifty executions of one caller, then the tree is read once, and stored once", async () => {
  const { farm, run } = setting();
  await Promise.all(indexes.map((index) => run(index)));
  assert.equal(farm.ran.length, CALLERS);
  assert.equal(farm.read.length, DIRECTORIES + OWN);
  assert.equal(farm.stored.length, DIRECTORIES + CALLERS);
  storedOnce(farm);
});

test("given a caller whose execution goes away while it reads for all, then another one does the rest", async () => {
  const { farm, run } = setting();
  const leader = new AbortController();
  const first = run(0, { signal: leader.signal });
  const others = indexes.slice(1).map((index) => run(index));
  const gone = assert.rejects(first, { code: Status.CANCELLED });
  while ((farm.readers.get("alice") ?? 0) < OWN + 40) await turn();
  leader.abort();
  await gone;
  await Promise.all(others);
  assert.equal(farm.ran.length, CALLERS - 1);
  assert.ok(farm.read.length <= 2 * DIRECTORIES + OWN, `${farm.read.length} reads`);
  storedOnce(farm);
});

test("given an execution that waits, when its caller goes away, then it ends at once and the others do not", async () => {
  const { farm, run } = setting();
  const waiting = new AbortController();
  const first = run(0);
  const second = run(1, { signal: waiting.signal });
  const third = run(2);
  const gone = assert.rejects(second, { code: Status.CANCELLED });
  while ((farm.readers.get("alice") ?? 0) < 10) await turn();
  waiting.abort();
  await gone;
  assert.equal(farm.ran.length, 0);
  await Promise.all([first, third]);
  assert.equal(farm.ran.length, 2);
});

test("given callers with other credentials, then nothing is shared between them", async () => {
  const { farm, run } = setting();
  const who = ["alice", "bob"] as const;
  await Promise.all(indexes.map((index) => run(index, { who: who[index % 2]! })));
  assert.equal(farm.ran.length, CALLERS);
  for (const each of who) assert.equal(farm.readers.get(each), DIRECTORIES + OWN / 2, each);
  for (const count of Map.groupBy(farm.stored, (blob) => blob).values()) assert.ok(count.length <= 2);
});

test("given a directory that is missing, then every one of them is told so", async () => {
  const { farm, run } = setting();
  const lost = [...farm.blobs.keys()].find((key) => Number(key.split("/")[1]) > 500)!;
  farm.blobs.delete(lost);
  const outcomes = await Promise.allSettled(indexes.slice(0, 5).map((index) => run(index)));
  for (const outcome of outcomes) {
    assert.equal(outcome.status, "rejected");
    assert.match((outcome.reason as Error).message, /\[action-missing, D07\]/);
  }
  assert.equal(farm.ran.length, 0);
});

test("given an upload that fails for one, then the others store what it did not", async () => {
  const { farm, run } = setting();
  farm.refusesWrites = 1;
  const outcomes = await Promise.allSettled(indexes.slice(0, 10).map((index) => run(index)));
  const failed = outcomes.filter(({ status }) => status === "rejected");
  assert.equal(failed.length, 1);
  assert.equal(farm.ran.length, 9);
  storedOnce(farm);
});
