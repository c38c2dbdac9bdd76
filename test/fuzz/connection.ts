/**
 * A whole connection, either role, fed frames that are right, wrong, cut and mixed, while its owner sends, resets and holds, and its socket
 * stalls. Whatever comes, it must not throw, must tell each sink a message that makes sense, must write frames that a second reader takes
 * and the peer's windows allow, and must give everything back in the end.
 */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Budget } from "../../src/http2/budget.ts";
import { Connection } from "../../src/http2/connection.ts";
import type { ConnectionCounters } from "../../src/http2/counters.ts";
import { currentRead } from "../../src/http2/current-read.ts";
import { type Field, makeField } from "../../src/http2/hpack/field.ts";
import { internName } from "../../src/http2/hpack/name.ts";
import { flushAll } from "../../src/http2/output.ts";
import type { Stream } from "../../src/http2/stream.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { encodeHeaders, type Header } from "../support/raw-h2/hpack.ts";
import { Choices } from "./choices.ts";
import { MemorySocket } from "./memory-socket.ts";
import type { FuzzTarget } from "./target.ts";
import { WatchedSink } from "./watched-sink.ts";
import { WrittenFrames } from "./written-frames.ts";

const { Type } = h2;
const BUDGET = 1024 * 1024;
const BORN_WITH = 65_535;
const MAX_WINDOW = 0x7fff_ffff;

const LISTS: readonly Header[][] = [
  [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/a/b"],
    ["content-type", "application/grpc"],
  ],
  [[":status", "200"]],
  [["grpc-status", "0"]],
  [
    [":status", "200"],
    ["content-length", "5"],
  ],
  [[":status", "103"]],
  [["Upper", "case"]],
  [[":path", "/"]],
  [
    [":status", "200"],
    ["x-long", "v".repeat(3_000)],
  ],
];
const BLOCKS = LISTS.map((list) => encodeHeaders(list));
const HEADS: readonly Field[][] = LISTS.slice(0, 4).map((list) =>
  list.map(([name, value]) => makeField(internName(name), value, { index: value.length < 10 })),
);
/** Mostly what keeps a connection going, lest most cases end with their first frames. */
const KINDS = [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 4, 6, 8, 8, 8, 8].flatMap((kind) => [kind, kind, kind, kind]);
const RARE_KINDS = [5, 7, 9, 10, 11];
const FLAGS = [4, 4, 4, 4, 4, 5, 5, 4, 4, 4, 5, 4, 4, 5, 4, 4, 0, 1, 12, 32, 36, 37, 0xff];
const INCREMENTS = [1, 100, 1, 100, 16_384, 16_384, BORN_WITH, BORN_WITH, 5, 50, 500, 5_000, 0, MAX_WINDOW];
const SETTINGS: readonly [number, number][] = [
  [h2.Setting.HEADER_TABLE_SIZE, 100],
  [h2.Setting.HEADER_TABLE_SIZE, 4_096],
  [h2.Setting.INITIAL_WINDOW_SIZE, 40_000],
  [h2.Setting.INITIAL_WINDOW_SIZE, 65_535],
  [0xbeef, 1],
  [h2.Setting.MAX_FRAME_SIZE, 20_000],
  [h2.Setting.INITIAL_WINDOW_SIZE, 10],
  [h2.Setting.MAX_CONCURRENT_STREAMS, 4],
  [h2.Setting.HEADER_TABLE_SIZE, 0],
  [h2.Setting.HEADER_TABLE_SIZE, 65_536],
  [h2.Setting.ENABLE_PUSH, 0],
  [h2.Setting.MAX_CONCURRENT_STREAMS, 1],
  [h2.Setting.INITIAL_WINDOW_SIZE, 0],
  [h2.Setting.INITIAL_WINDOW_SIZE, 70_000],
  [h2.Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW],
  [h2.Setting.MAX_FRAME_SIZE, 1],
];
/** Sizes of reads; small ones are for what is small. */
const PIECES = [1, 7, 9, 100, 2_000, 40_000];
const MOST_PIECES = 64;
/** Overwritten for each piece, as the buffer of a socket is. */
const shared = Buffer.alloc(9 + 40_000);
const FILLER = Buffer.alloc(16_384, "fill");

function pick<T>(from: readonly T[], choice: number): T {
  return from[choice % from.length]!;
}

/** HEADERS; where the block does not end in it, CONTINUATION follows more often than not. */
function headers(flags: number, stream: number, block: Buffer, choice: number): Buffer {
  if ((flags & 4) !== 0) return h2.frame(Type.HEADERS, flags, stream, block);
  const at = choice % (block.length + 1);
  const start = h2.frame(Type.HEADERS, flags, stream, block.subarray(0, at));
  if (choice >= 0xf0) return start;
  return Buffer.concat([start, h2.frame(Type.CONTINUATION, 4, stream, block.subarray(at))]);
}

/** One frame to feed, as the next choices have it; more often than not on one of the streams in `known`, or with headers on `next`. */
function frameOf(choices: Choices, known: readonly number[], next: number): Buffer {
  const [which, flags, where] = [choices.byte(), pick(FLAGS, choices.byte()), choices.byte()];
  const kind = pick(which < 0xf8 ? KINDS : RARE_KINDS, which);
  const likely = known.length === 0 || (kind === Type.HEADERS && where < 0xc0) ? next : pick(known, where);
  const stream = where < 0xf8 ? likely : where % 12;
  if (known.length === 0 && where < 0xf0 && (kind !== Type.HEADERS || next === 0)) return h2.ping();
  switch (kind) {
    case Type.DATA:
      return h2.frame(
        Type.DATA,
        flags & 9,
        stream,
        FILLER.subarray(0, choices.byte() * (where & 1 ? 1 : 60)),
      );
    case Type.HEADERS:
      return headers(flags & ~40, stream, pick(BLOCKS, Math.max(0, choices.byte() - 0x60)), choices.byte());
    case Type.PRIORITY:
      return h2.priority(stream, choices.byte());
    case Type.RST_STREAM:
      return h2.reset(stream, choices.byte() % 14);
    case Type.SETTINGS:
      return flags === 1 ? h2.settingsAck() : h2.settings(pick(SETTINGS, choices.byte()));
    case Type.PING:
      return h2.ping(Buffer.from("bridging"), (flags & 1) === 1);
    case Type.GOAWAY:
      return h2.goaway(stream, choices.byte() % 14, "bye");
    case Type.WINDOW_UPDATE:
      return h2.windowUpdate((flags & 1) === 1 ? 0 : stream, pick(INCREMENTS, choices.byte()));
    case Type.CONTINUATION:
      return h2.frame(Type.CONTINUATION, flags, stream, pick(BLOCKS, choices.byte()));
    case 10:
      return Buffer.from(choices.take(choices.byte() % 32));
    default:
      return h2.frame(choices.byte(), flags, stream, Buffer.from(choices.take(choices.byte() % 32)));
  }
}

/** One connection under test, and all that watches it. */
class Bench {
  private readonly budget = new Budget(BUDGET);
  private readonly counters: ConnectionCounters = {
    in: 0,
    out: 0,
    connections: 0,
    connectionsTotal: 0,
    streams: 0,
    streamsTotal: 0,
    resetsTotal: 0,
    protocolErrorsTotal: 0,
    floodsTotal: 0,
  };
  private readonly socket = new MemorySocket();
  private readonly sinks: WatchedSink[] = [];
  private readonly connection: Connection;
  private readonly written: WrittenFrames;
  private readonly server: boolean;
  private readonly holds: boolean;
  private readonly piece: number;
  private closedTimes = 0;

  constructor(choices: Choices) {
    const options = choices.byte();
    this.server = (options & 1) === 1;
    this.holds = (options & 2) === 2;
    this.piece = pick(PIECES, choices.byte());
    this.written = new WrittenFrames(this.server);
    this.connection = new Connection(
      this.socket as unknown as Socket,
      {
        role: this.server ? "server" : "client",
        budget: this.budget,
        counters: this.counters,
        maxStreams: 4,
        maxHeaderList: 2_048,
      },
      {
        request: (stream, _, fin) => this.watch(stream, fin),
        ready() {},
        capacity() {},
        goingAway() {},
        closed: () => this.closedTimes++,
      },
    );
    this.feed(Buffer.concat([this.server ? h2.PREFACE : Buffer.alloc(0), h2.settings()]));
  }

  /** Does what the next choices say. */
  step(choices: Choices): void {
    const what = choices.byte();
    if (what < 0xa0) this.feed(this.nextFrame(choices));
    else if (what < 0xf0) this.act(what, choices);
    else if (what < 0xf8) this.socket.stalled = (what & 1) === 1;
    else if (what === 0xfa) this.feed(this.nextFrame(choices).subarray(0, choices.byte()));
    else if (what === 0xfc && this.server) this.connection.drain();
    else if (what === 0xfd && !this.server) this.connection.retire();
    else this.connection.ping();
    flushAll();
    this.written.take(this.socket.takeWritten());
    assert.ok(this.budget.used >= 0 && this.budget.used <= BUDGET + BORN_WITH, `${this.budget.used} held`);
  }

  /** Ends the connection: nothing may be left. */
  end(): void {
    this.connection.ended("the end");
    flushAll();
    this.socket.destroy();
    for (const sink of this.sinks) sink.release();
    assert.equal(this.closedTimes, 1, "its owner was told how often it is over");
    assert.equal(this.budget.used, 0, "the budget");
    assert.deepEqual([this.counters.streams, this.counters.connections], [0, 0]);
    for (const sink of this.sinks) sink.checkOver();
  }

  private feed(bytes: Buffer): void {
    this.written.granted(bytes);
    const piece = Math.max(this.piece, Math.ceil(bytes.length / MOST_PIECES));
    for (let at = 0; at < bytes.length; at += piece) {
      const end = 9 + bytes.copy(shared, 9, at, at + piece);
      currentRead.buffer = shared;
      currentRead.volatile = true;
      this.connection.receive(shared, 9, end);
      currentRead.buffer = null;
      flushAll();
      shared.fill(0xaa, 0, end);
    }
  }

  private nextFrame(choices: Choices): Buffer {
    const known = this.sinks.slice(-4).map(({ stream }) => stream.id);
    // The stream that a server's client would open next; for a client there is none.
    return frameOf(choices, known, this.server ? 2 * this.counters.streamsTotal + 1 : (known[0] ?? 0));
  }

  /** What the owner of the connection and of its streams does. */
  private act(what: number, choices: Choices): void {
    const head = pick(HEADS, choices.byte());
    if (!this.server && what < 0xb8) {
      if (this.connection.canOpen) this.open(head, (what & 1) === 1);
      return;
    }
    const sink = this.sinks[choices.byte() % Math.max(1, this.sinks.length)];
    if (sink === undefined) return;
    const { stream } = sink;
    if (what < 0xc8) {
      // A second list is the trailers.
      stream.sendHeaders(head, sink.headSent || (what & 1) === 1);
      sink.headSent = true;
    } else if (what < 0xd8) {
      if (sink.headSent)
        stream.send(FILLER.subarray(0, choices.byte() * (what & 2 ? 1 : 60)), (what & 1) === 1);
    } else if (what < 0xe0) stream.reset(choices.byte() % 14);
    else if (what < 0xe4) stream.resetAfterSending(0);
    else sink.release();
  }

  private open(head: readonly Field[], fin: boolean): void {
    const sink = new WatchedSink(false, this.holds);
    this.sinks.push(sink);
    sink.headSent = true;
    sink.stream = this.connection.open(head, fin, sink);
  }

  private watch(stream: Stream, fin: boolean): void {
    const sink = new WatchedSink(true, this.holds);
    sink.stream = stream;
    sink.ended = fin;
    stream.sink = sink;
    this.sinks.push(sink);
  }
}

/** Runs `what` with timers that never fire, and a clock that stands still: a case depends on its bytes alone and leaves nothing behind. */
function withoutTime(what: () => void): void {
  const { setTimeout, setImmediate } = globalThis;
  const { now } = Date;
  const later: (() => void)[] = [];
  globalThis.setTimeout = (() => ({ unref() {} })) as unknown as typeof setTimeout;
  globalThis.setImmediate = ((call: () => void) => later.push(call)) as unknown as typeof setImmediate;
  Date.now = () => 1;
  try {
    what();
    for (const call of later) call();
  } finally {
    Object.assign(globalThis, { setTimeout, setImmediate });
    Date.now = now;
  }
}

/** The fuzz target: `bytes` are choices of what happens. */
export const connection: FuzzTarget = {
  name: "connection",
  run(bytes) {
    withoutTime(() => {
      const choices = new Choices(bytes);
      const bench = new Bench(choices);
      while (!choices.done) bench.step(choices);
      bench.end();
    });
  },
};
