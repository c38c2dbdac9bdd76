import assert from "node:assert/strict";
import { test } from "node:test";
import { SendScheduler } from "../../../src/http2/send-scheduler.ts";
import type { Stream } from "../../../src/http2/stream.ts";

/** A connection with room for `sendWindow` bytes. */
class Room {
  congested = false;
  sendWindow = 0;
}

/** As much of a stream as a scheduler looks at: `items` wait on it, numbers for bytes of data and null for header lists. */
class FakeStream {
  scheduled = false;
  gone = false;
  looks = 0;
  private readonly name: string;
  private readonly items: (number | null)[];
  private readonly room: Room;
  private readonly log: string[];

  constructor(name: string, items: (number | null)[], room: Room, log: string[]) {
    this.name = name;
    this.items = items;
    this.room = room;
    this.log = log;
  }

  get nextIsData(): boolean {
    return typeof this.items[0] === "number";
  }

  get sendable(): boolean {
    return this.items.length > 0;
  }

  sendQueued(quantum: number): void {
    this.looks++;
    const next = this.items[0]!;
    if (next === null) {
      this.items.shift();
      this.log.push(`${this.name} headers`);
      return;
    }
    const part = Math.min(next, quantum, this.room.sendWindow);
    this.room.sendWindow -= part;
    if (part === next) this.items.shift();
    else this.items[0] = next - part;
    this.log.push(`${this.name} ${part}`);
  }
}

function setUp(...queues: (number | null)[][]): {
  room: Room;
  log: string[];
  streams: FakeStream[];
  scheduler: SendScheduler;
} {
  const room = new Room();
  const log: string[] = [];
  const scheduler = new SendScheduler(room);
  const streams = queues.map((items, i) => new FakeStream(`#${i}`, items, room, log));
  for (const stream of streams) scheduler.add(stream as unknown as Stream);
  return { room, log, streams, scheduler };
}

test("streams take turns, 64 KiB each", () => {
  const { room, log, scheduler } = setUp([100_000], [10], [70_000]);
  room.sendWindow = 1_000_000;
  assert.equal(scheduler.run(), true);
  assert.deepEqual(log, ["#0 65536", "#1 10", "#2 65536", "#0 34464", "#2 4464"]);
  assert.equal(scheduler.run(), false);
});

test("what is left of a small window goes to the next in turn", () => {
  const { room, log, scheduler } = setUp([50], [50]);
  room.sendWindow = 60;
  scheduler.run();
  room.sendWindow = 60;
  scheduler.run();
  assert.deepEqual(log, ["#0 50", "#1 10", "#1 40"]);
});

test("while the window is shut, ten thousand streams with data cost nothing, and headers leave", () => {
  const { room, log, streams, scheduler } = setUp(...Array.from({ length: 10_000 }, () => [5]), [null, 5]);
  scheduler.run();
  assert.deepEqual(log, ["#10000 headers"]);
  for (let turn = 0; turn < 100; turn++) {
    room.sendWindow = 1;
    scheduler.run();
  }
  const looks = streams.reduce((sum, stream) => sum + stream.looks, 0);
  assert.equal(looks, 101, "one look for each byte that could leave");
});

test("a congested socket stops everything until it has room", () => {
  const { room, log, scheduler } = setUp([null], [5]);
  room.sendWindow = 100;
  room.congested = true;
  scheduler.run();
  assert.deepEqual(log, []);
  room.congested = false;
  scheduler.run();
  assert.deepEqual(log, ["#0 headers", "#1 5"]);
});

test("a stream is scheduled once, however often it is added", () => {
  const { room, log, streams, scheduler } = setUp([5]);
  scheduler.add(streams[0] as unknown as Stream);
  room.sendWindow = 100;
  scheduler.run();
  assert.deepEqual(log, ["#0 5"]);
});
