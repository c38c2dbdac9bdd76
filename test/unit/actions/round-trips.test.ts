/** What rewriting asks of the upstream: how much, and how often one call has to wait for another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import type { ContentHooks } from "../../../src/translators/translator.ts";
import type { MemoryUpstream } from "../../support/memory-upstream.ts";
import { client, plan, server } from "../../translators/support.ts";
import { encode, type Folder } from "../tree/support.ts";
import { engineOf, execute, Farm, key, lookUp, type MessageDigest, V2, withoutA } from "./support.ts";

/** An upstream that is a round trip away: what is asked of it at the same time is answered at the same time. */
class DistantFarm extends Farm {
  /** Round trips that somebody waited for. */
  trips = 0;
  lookUps = 0;
  private waiting: (() => void)[] = [];
  private isUnderWay = false;

  /** Has a call wait for its answer. */
  private async travel(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.push(resolve);
    if (!this.isUnderWay) void this.answerAll();
    await promise;
  }

  private async answerAll(): Promise<void> {
    this.isUnderWay = true;
    // Whatever is asked without waiting is asked by then.
    await turn();
    this.trips++;
    const answered = this.waiting;
    this.waiting = [];
    this.isUnderWay = false;
    for (const resolve of answered) resolve();
  }

  override async *readBlobs(...args: Parameters<MemoryUpstream["readBlobs"]>) {
    await this.travel();
    yield* super.readBlobs(...args);
  }

  override async findMissing(...args: Parameters<MemoryUpstream["findMissing"]>) {
    await this.travel();
    return super.findMissing(...args);
  }

  override async writeBlobs(...args: Parameters<MemoryUpstream["writeBlobs"]>) {
    await this.travel();
    return super.writeBlobs(...args);
  }

  override async getActionResult(...args: Parameters<MemoryUpstream["getActionResult"]>) {
    this.lookUps++;
    await this.travel();
    return super.getActionResult(...args);
  }

  override async *execute(...args: Parameters<MemoryUpstream["execute"]>) {
    await this.travel();
    yield* super.execute(...args);
  }

  /** What some work asks for, and how many round trips it takes. */
  async during(work: () => Promise<unknown>) {
    const before = { ...this.calls, trips: this.trips, blobs: this.read.length };
    await work();
    const { read, find, write } = this.calls;
    return {
      ...{ reads: read - before.read, finds: find - before.find, writes: write - before.write },
      ...{ blobs: this.read.length - before.blobs, trips: this.trips - before.trips },
    };
  }
}

/** The platform stands where the server does not look; nothing else differs. */
const platformOnly = plan(
  client({ forms: { "action-platform": { writes: ["command"] } } }),
  server({ forms: { "action-platform": { reads: ["action"] } } }),
).content;

const platform: Draft<Messages[`${typeof V2}.Platform`]> = { properties: [{ name: "os", value: "linux" }] };

function actionWith(farm: Farm, command: Draft<Messages[`${typeof V2}.Command`]>): MessageDigest {
  const commandDigest = farm.store(codec().encode(`${V2}.Command`, command));
  return farm.store(codec().encode(`${V2}.Action`, { commandDigest }));
}

/** Has the farm know the result of what runs in place of an action, as if another replica had executed it. */
async function built(farm: Farm, hooks: readonly ContentHooks[], action: MessageDigest): Promise<void> {
  await execute(engineOf(hooks), farm, action);
  farm.actionResults.set(key(farm.ran.at(-1)!), codec().encode(`${V2}.ActionResult`, { exitCode: 3 }));
}

test("a platform alone costs the reading of two small blobs, one question and one write, and nothing of it twice", async () => {
  const farm = new DistantFarm();
  const engine = engineOf(platformOnly);
  const action = actionWith(farm, { arguments: ["a"], platform });
  const cold = await farm.during(() => execute(engine, farm, action));
  // Action, then Command, then what is missing, the write, and the execution.
  assert.deepEqual(cold, { reads: 2, blobs: 2, finds: 1, writes: 1, trips: 5 });
  assert.notEqual(key(farm.ran[0]!), key(action));
  const warm = await farm.during(() => execute(engine, farm, action));
  assert.deepEqual(warm, { reads: 0, blobs: 0, finds: 1, writes: 0, trips: 2 });
});

test("an action that has nothing to rewrite costs the reading of two small blobs, once", async () => {
  const farm = new DistantFarm();
  const engine = engineOf(platformOnly);
  const action = actionWith(farm, { arguments: ["a"] });
  const cold = await farm.during(() => execute(engine, farm, action));
  assert.deepEqual(cold, { reads: 2, blobs: 2, finds: 0, writes: 0, trips: 3 });
  const warm = await farm.during(() => execute(engine, farm, action));
  assert.deepEqual(warm, { reads: 0, blobs: 0, finds: 0, writes: 0, trips: 1 });
});

test("a warm look-up waits for nothing but the answer, whichever key has the result", async () => {
  const farm = new DistantFarm();
  const action = actionWith(farm, { arguments: ["a"], platform });
  await built(farm, platformOnly, action);
  const engine = engineOf(platformOnly);
  const cold = await farm.during(() => lookUp(engine, farm, action));
  assert.deepEqual(cold, { reads: 2, blobs: 2, finds: 0, writes: 0, trips: 3 });
  const warm = await farm.during(() => lookUp(engine, farm, action));
  assert.deepEqual(warm, { reads: 0, blobs: 0, finds: 0, writes: 0, trips: 1 });
  farm.actionResults.set(key(action), codec().encode(`${V2}.ActionResult`, { exitCode: 4 }));
  const direct = await farm.during(() => lookUp(engine, farm, action));
  assert.deepEqual(direct, { reads: 0, blobs: 0, finds: 0, writes: 0, trips: 1 });
});

test("a look-up that finds the client's own entry does not wait for the store", async () => {
  const farm = new DistantFarm();
  const action = actionWith(farm, { arguments: ["a"], platform });
  farm.actionResults.set(key(action), codec().encode(`${V2}.ActionResult`, { exitCode: 4 }));
  const { trips } = await farm.during(() => lookUp(engineOf(platformOnly), farm, action));
  assert.equal(trips, 1);
});

test("where clients find entries of their own, nothing is read for each in vain; a miss after that waits once, and no longer", async () => {
  const farm = new DistantFarm();
  const engine = engineOf(platformOnly);
  const own = (name: string): MessageDigest => {
    const action = actionWith(farm, { arguments: [name], platform });
    farm.actionResults.set(key(action), codec().encode(`${V2}.ActionResult`, { exitCode: 4 }));
    return action;
  };
  await lookUp(engine, farm, own("first"));
  // Here nobody cuts off what was begun for it.
  for (let i = 0; i < 10; i++) await turn();
  for (let i = 0; i < 5; i++) {
    const next = await farm.during(() => lookUp(engine, farm, own(`${i}`)));
    assert.deepEqual(next, { reads: 0, blobs: 0, finds: 0, writes: 0, trips: 1 });
  }
  for (const trips of [4, 3]) {
    const missing = actionWith(farm, { arguments: [`missing ${trips}`], platform });
    const miss = await farm.during(() => assert.rejects(lookUp(engine, farm, missing)));
    assert.deepEqual(miss, { reads: 2, blobs: 2, finds: 0, writes: 0, trips });
  }
});

test("an action whose own entry was there is looked up under that key alone, until it is gone", async () => {
  const farm = new DistantFarm();
  const engine = engineOf(platformOnly);
  const action = actionWith(farm, { arguments: ["a"], platform });
  await built(farm, platformOnly, action);
  const asks = async (): Promise<number> => {
    const before = farm.lookUps;
    await lookUp(engine, farm, action);
    return farm.lookUps - before;
  };
  assert.deepEqual([await asks(), await asks()], [2, 2]);
  farm.actionResults.set(key(action), codec().encode(`${V2}.ActionResult`, { exitCode: 4 }));
  assert.deepEqual([await asks(), await asks()], [2, 1]);
  farm.actionResults.delete(key(action));
  assert.deepEqual([await asks(), (await farm.during(asks)).trips], [2, 1]);
});

/** So many directories of ten files, ten in each, no two alike. */
function tree(count: number): Folder {
  const files = (place: number) => ["a", ...Array.from({ length: 9 }, (_, i) => `file-${place}-${i}`)];
  const folder = (place: number): Folder => {
    const below = Array.from({ length: 10 }, (_, i) => 10 * place + 1 + i).filter((child) => child < count);
    return {
      files: files(place),
      folders: Object.fromEntries(below.map((child) => [`d${child}`, folder(child)])),
    };
  };
  return folder(0);
}

test("a warm tree of 20,000 files is not read again, neither for its action nor for another with the same tree", async () => {
  const farm = new DistantFarm();
  const engine = engineOf([withoutA]);
  const root = farm.store(encode(tree(2_000), farm.blobs));
  const action = farm.action(root);
  const cold = await farm.during(() => execute(engine, farm, action));
  // Action, Command and five levels of directories, what is missing, the write, and the execution.
  assert.deepEqual(cold, { reads: 7, blobs: 2_002, finds: 1, writes: 1, trips: 10 });
  const warm = await farm.during(() => execute(engine, farm, action));
  assert.deepEqual(warm, { reads: 0, blobs: 0, finds: 1, writes: 0, trips: 2 });
  const another = await farm.during(() => execute(engine, farm, farm.action(root, "another")));
  assert.deepEqual(another, { reads: 2, blobs: 2, finds: 1, writes: 1, trips: 5 });
  await built(farm, [withoutA], action);
  const found = await farm.during(() => lookUp(engine, farm, action));
  assert.deepEqual(found, { reads: 0, blobs: 0, finds: 0, writes: 0, trips: 1 });
});
