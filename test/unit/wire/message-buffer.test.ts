import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageBuffer } from "../../../src/wire/message-buffer.ts";

test("allocates nothing for a declared length until bytes arrive", () => {
  const buffer = new MessageBuffer(1 << 30);
  assert.equal(buffer.allocated, 0);
  buffer.append(Buffer.from("x"), 0, 1);
  assert.equal(buffer.allocated, 1024);
});

test("never allocates more than 1 KiB or four times what has arrived, nor more than the message", () => {
  const length = 1_000_003;
  const chunk = Buffer.alloc(777, 7);
  let told = 0;
  const memory = {
    free: 10_000_000,
    charge(bytes: number) {
      told += bytes;
    },
  };
  const buffer = new MessageBuffer(length, memory);
  for (let at = 0; at < length; at += chunk.length) {
    buffer.append(chunk, 0, Math.min(chunk.length, length - at));
    assert.ok(buffer.allocated <= Math.max(1024, 4 * buffer.arrived));
    assert.ok(buffer.allocated <= length);
    assert.equal(told, buffer.allocated);
  }
  assert.equal(buffer.complete, true);
  assert.equal(buffer.view().length, length);
  assert.ok(buffer.view().every((byte) => byte === 7));
});

test("takes little more than what has arrived where memory is short", () => {
  const buffer = new MessageBuffer(1 << 20, { free: 0, charge() {} });
  for (let at = 0; at < 1 << 20; at += 16_384) {
    buffer.append(Buffer.alloc(16_384), 0, 16_384);
    assert.ok(buffer.allocated <= 1.25 * buffer.arrived);
  }
});

test("keeps its own copy of what arrived", () => {
  const chunk = Buffer.from("..abc..");
  const buffer = new MessageBuffer(6);
  buffer.append(chunk, 2, 5);
  chunk.fill(0);
  assert.equal(buffer.complete, false);
  assert.equal(buffer.view().toString(), "abc");
  buffer.append(Buffer.from("def"), 0, 3);
  assert.equal(buffer.view().toString(), "abcdef");
});

test("a message of no bytes is complete at once", () => {
  const buffer = new MessageBuffer(0);
  assert.equal(buffer.complete, true);
  assert.equal(buffer.view().length, 0);
});

test("a listener that refuses memory leaves what arrived before untouched", () => {
  let budget = 4000;
  const memory = {
    free: 10_000,
    charge(bytes: number) {
      if (bytes > budget) throw new Error("over budget");
      budget -= bytes;
    },
  };
  const buffer = new MessageBuffer(5000, memory);
  buffer.append(Buffer.alloc(1000, 1), 0, 1000);
  assert.throws(() => buffer.append(Buffer.alloc(4000), 0, 4000), /over budget/);
  assert.equal(buffer.arrived, 1000);
  assert.ok(buffer.view().every((byte) => byte === 1));
});

test("more bytes than the message has are a mistake of the caller", () => {
  const buffer = new MessageBuffer(2);
  assert.throws(() => buffer.append(Buffer.alloc(3), 0, 3), RangeError);
});
