import assert from "node:assert/strict";
import { test } from "node:test";
import { firstMessage } from "../../../src/proxy/first-message.ts";
import { ByMessage } from "../../../src/proxy/routing/by-message.ts";

const relayed = { lane: "relay", filter: null } as const;
const opened = { lane: "translate", handle: async () => {} } as const;
const message = (text: string) => ({ bytes: Buffer.from(text), whole: true, length: text.length });

function ways(): ByMessage {
  return new ByMessage(opened, relayed, ({ bytes }) => bytes.includes("open"));
}

test("calls are begun as relayed ones after a hundred in a row, and no more after one that was none", () => {
  for (const last of [(by: ByMessage) => by.choose(message("open")), (by: ByMessage) => by.choose(null)]) {
    const by = ways();
    for (let n = 0; n < 100; n++) {
      assert.equal(by.settled, false);
      assert.equal(by.choose(message("relay")), relayed);
    }
    assert.equal(by.settled, true);
    assert.equal(last(by), opened);
    assert.equal(by.settled, false);
  }
});

test("where first messages come in small pieces, no more than one call in a hundred begins anew", () => {
  const by = ways();
  let anew = 0;
  for (let n = 0; n < 1_000; n++) {
    if (by.settled) {
      anew++;
      by.unsettle();
    }
    by.choose(message("relay"));
  }
  assert.ok(anew > 0 && anew <= 10, `${anew}`);
});

test("a first message shows when it is whole, when enough of it is there, or when no more comes", () => {
  const pieces = (...buffers: Buffer[]) =>
    buffers.map((buffer) => ({ buffer, start: 0, end: buffer.length }));
  const prefix = (length: number, flag = 0) => {
    const bytes = Buffer.alloc(5, flag);
    bytes.writeUInt32BE(length, 1);
    return bytes;
  };
  assert.equal(firstMessage(pieces(), false), "more");
  assert.deepEqual(firstMessage(pieces(), true), { bytes: Buffer.alloc(0), whole: true, length: 0 });
  assert.equal(firstMessage(pieces(prefix(3), Buffer.from("ab")), false), "more");
  const cut = { bytes: Buffer.from("ab"), whole: false, length: 3 };
  assert.deepEqual(firstMessage(pieces(prefix(3), Buffer.from("ab")), true), cut);
  assert.deepEqual(firstMessage(pieces(prefix(3), Buffer.from("abcd")), false), {
    bytes: Buffer.from("abc"),
    whole: true,
    length: 3,
  });
  assert.equal(firstMessage(pieces(prefix(3, 1), Buffer.from("abc")), false), null);
  const large = firstMessage(pieces(prefix(100_000), Buffer.alloc(20_000)), false);
  assert.ok(large !== null && large !== "more" && !large.whole && large.length === 100_000);
});
