import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type EnvelopeHandler,
  EnvelopeParser,
  envelope,
  MAX_DECLARED_BYTES,
  writePrefix,
} from "../../../src/wire/envelope.ts";
import { hex, wireError } from "./support.ts";

/** Writes down what a parser reports: one line for each message, or part of one. */
class Recorder implements EnvelopeHandler {
  readonly lines: string[] = [];
  begin(length: number, compressed: boolean): void {
    this.lines.push(`begin ${length}${compressed ? " compressed" : ""}`);
  }
  bytes(buffer: Buffer, start: number, end: number): void {
    this.lines.push(buffer.toString("latin1", start, end));
  }
  end(): void {
    this.lines.push("end");
  }
}

test("finds messages one after another, empty ones too, with their flag", () => {
  const recorder = new Recorder();
  const parser = new EnvelopeParser(recorder, 100);
  parser.feed(
    Buffer.concat([
      hex("00 00000003"),
      Buffer.from("abc"),
      hex("00 00000000"),
      hex("01 00000001"),
      hex("78"),
    ]),
  );
  parser.finish();
  assert.deepEqual(recorder.lines, [
    "begin 3",
    "abc",
    "end",
    "begin 0",
    "end",
    "begin 1 compressed",
    "x",
    "end",
  ]);
  assert.equal(parser.idle, true);
});

test("finds the same messages when every byte comes alone", () => {
  const recorder = new Recorder();
  const parser = new EnvelopeParser(recorder, 100);
  for (const byte of [...hex("00 00000002 6869"), ...hex("01 00000000")]) parser.feed(Buffer.from([byte]));
  parser.finish();
  assert.deepEqual(recorder.lines, ["begin 2", "h", "i", "end", "begin 0 compressed", "end"]);
});

test("reads only the given part of a chunk", () => {
  const recorder = new Recorder();
  new EnvelopeParser(recorder, 100).feed(hex("ff 00 00000001 61 ff"), 1, 7);
  assert.deepEqual(recorder.lines, ["begin 1", "a", "end"]);
});

for (const flag of [2, 0x80, 0xff]) {
  test(`refuses flag byte ${flag} at once`, () => {
    const parser = new EnvelopeParser(new Recorder(), 100);
    assert.throws(() => parser.feed(Buffer.from([flag])), wireError("envelope-flag", new RegExp(`${flag}`)));
  });
}

test("refuses a message one byte over the limit when its prefix is complete, before anybody hears of it", () => {
  const recorder = new Recorder();
  const parser = new EnvelopeParser(recorder, 10);
  parser.feed(hex("00 000000"));
  assert.throws(() => parser.feed(hex("0b")), wireError("message-too-large", /11 bytes.*10 bytes/));
  assert.deepEqual(recorder.lines, []);
});

test("accepts a message of exactly the limit", () => {
  const recorder = new Recorder();
  new EnvelopeParser(recorder, 2).feed(hex("00 00000002 6162"));
  assert.deepEqual(recorder.lines, ["begin 2", "ab", "end"]);
});

test("reads lengths above 2^31 as positive", () => {
  const recorder = new Recorder();
  const parser = new EnvelopeParser(recorder, MAX_DECLARED_BYTES);
  parser.feed(hex("00 ffffffff"));
  assert.deepEqual(recorder.lines, ["begin 4294967295"]);
  assert.equal(parser.idle, false);
});

for (const [bytes, message] of [
  ["00", /after 1 of the 5 bytes/],
  ["00 000000", /after 4 of the 5 bytes/],
  ["00 00000003", /after 0 of 3 bytes/],
  ["00 00000003 6162", /after 2 of 3 bytes/],
] as const) {
  test(`names what is missing when the stream ends after ${bytes}`, () => {
    const parser = new EnvelopeParser(new Recorder(), 100);
    parser.feed(hex(bytes));
    assert.throws(() => parser.finish(), wireError("truncated", message));
  });
}

test("writes a prefix where it is told to", () => {
  const target = Buffer.alloc(7, 0xee);
  writePrefix(target, 1, 0x01020304, true);
  assert.deepEqual(target, hex("ee 01 01020304 ee"));
});

test("puts one prefix before a message in slices and does not copy them", () => {
  const slices = [Buffer.from("ab"), Buffer.from("c")];
  const whole = envelope(slices);
  assert.deepEqual(whole[0], hex("00 00000003"));
  assert.equal(whole[1], slices[0]);
  assert.equal(whole[2], slices[1]);
});
