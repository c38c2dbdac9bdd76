/**
 * The gRPC envelope parser: however a stream is cut into pieces, the same messages come out and the same breach is found, and
 * the messages put back into envelopes are the stream.
 */
import assert from "node:assert/strict";
import { EnvelopeParser, envelope as wrap } from "../../src/wire/envelope.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";

/** The limits a case may choose: some that cases exceed, and none to speak of. */
const LIMITS = [16, 300, 0xffff_ffff];

interface Message {
  readonly compressed: boolean;
  readonly declared: number;
  readonly payload: Buffer;
}

/** What a parser made of a stream. */
interface Reading {
  readonly messages: Message[];
  /** The message that began and did not end. */
  readonly open: Message | null;
  /** The code of the breach, if one was found while feeding or at the end. */
  readonly breach: string | null;
}

function read(pieces: readonly Buffer[], limit: number): Reading {
  const messages: Message[] = [];
  let open: Message | null = null;
  const parser = new EnvelopeParser(
    {
      begin(length, compressed) {
        assert.equal(open, null, "a message began inside another");
        assert.ok(length <= limit, "a message beyond the limit began");
        open = { compressed, declared: length, payload: Buffer.alloc(0) };
      },
      bytes(buffer, start, end) {
        assert.ok(end > start, "an empty piece");
        open = { ...open!, payload: Buffer.concat([open!.payload, buffer.subarray(start, end)]) };
      },
      end() {
        assert.equal(open!.payload.length, open!.declared);
        messages.push(open!);
        open = null;
      },
    },
    limit,
  );
  let breach: string | null = null;
  try {
    for (const piece of pieces) parser.feed(piece);
    assert.ok(!parser.idle || open === null, "idle inside a message");
    parser.finish();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    breach = error.code;
  }
  return { messages, open, breach };
}

/** Cuts a stream anywhere: single bytes, empty pieces, and long ones. */
function cut(stream: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const next = Math.min(stream.length, at + random.below(random.below(4) === 0 ? 64 : 4));
    pieces.push(stream.subarray(at, next));
    at = next;
  }
  return pieces;
}

/** The stream by its definition, without a parser. */
function plainBreach(stream: Buffer, limit: number): string | null {
  for (let at = 0; at < stream.length; ) {
    if (stream[at]! > 1) return "envelope-flag";
    if (stream.length - at < 5) return "truncated";
    const length = stream.readUInt32BE(at + 1);
    if (length > limit) return "message-too-large";
    at += 5 + length;
    if (at > stream.length) return "truncated";
  }
  return null;
}

/** The fuzz target: the first byte chooses a limit, the second how to cut, the rest is the stream. */
export const envelope: FuzzTarget = {
  name: "envelope",
  run(bytes) {
    const limit = LIMITS[(bytes[0] ?? 0) % LIMITS.length]!;
    const stream = Buffer.from(bytes.subarray(2));
    const whole = read([stream], limit);
    assert.equal(whole.breach, plainBreach(stream, limit));
    assert.deepEqual(read(cut(stream, new Random(bytes[1] ?? 0)), limit), whole);
    const wrapped = whole.messages.flatMap(({ payload, compressed }) => wrap([payload], compressed));
    const again = Buffer.concat(wrapped);
    assert.ok(again.equals(stream.subarray(0, again.length)), "the messages are not what was in the stream");
    if (whole.breach === null) assert.equal(again.length, stream.length);
  },
};
