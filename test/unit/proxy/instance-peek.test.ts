import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { CallError } from "../../../src/proxy/messages/call-error.ts";
import { InstancePeek } from "../../../src/proxy/messages/instance-peek.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { Status } from "../../../src/wire/status.ts";

const FIND = "/build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs";
const WRITE = "/google.bytestream.ByteStream/Write";
const BLOB = `blobs/${"a".repeat(64)}/1`;

/** Fields in the order given, whatever their numbers. */
function texts(...fields: readonly [number, string][]): Buffer {
  return Buffer.concat(
    fields.map(([number, text]) => {
      const out = new FieldWriter();
      out.text(number, text);
      return out.toBuffer();
    }),
  );
}

function framed(message: Buffer, flag = 0): Buffer {
  const prefix = Buffer.from([flag, 0, 0, 0, 0]);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** What is found and after how many bytes, given in pieces of `size`; null if it does not show. */
function peek(bytes: Buffer, { path = FIND, size = bytes.length, encoding = "" } = {}) {
  const looking = new InstancePeek(path, encoding);
  for (let at = 0; at < bytes.length; at += size) {
    const end = Math.min(bytes.length, at + size);
    const instance = looking.feed(bytes, at, end);
    if (instance !== null) return { instance, after: end };
  }
  return null;
}

function codeOf(look: () => unknown): number {
  try {
    look();
    return Status.OK;
  } catch (error) {
    assert.ok(error instanceof CallError, String(error));
    return error.code;
  }
}

test("the instance shows wherever the bytes are cut, as soon as another field begins or the message ends", () => {
  const message = texts([1, "team/x"], [2, "rest"]);
  const bytes = framed(message);
  for (const size of [1, 2, 3, 7, bytes.length]) {
    assert.equal(peek(bytes, { size })?.instance, "team/x");
  }
  assert.equal(peek(bytes, { size: 1 })?.after, 5 + 2 + "team/x".length + 2, "tag and length of field 2");
  assert.deepEqual(peek(framed(texts([1, "t"])), { size: 1 }), { instance: "t", after: 8 });
});

test("without field 1 the instance is empty, once that is certain", () => {
  assert.deepEqual(peek(framed(Buffer.alloc(0)), { size: 1 }), { instance: "", after: 5 });
  assert.deepEqual(peek(framed(texts([2, "x"])), { size: 1 }), { instance: "", after: 7 });
  assert.equal(peek(framed(texts([1, "never whole"])).subarray(0, 10)), null);
});

test("bytes after the first message are not looked at", () => {
  const bytes = Buffer.concat([framed(texts([1, "a"])), framed(texts([1, "b"]))]);
  assert.equal(peek(bytes)?.instance, "a");
});

test("resource names tell the instance in front of them", () => {
  const name = (prefix: string) => framed(texts([1, `${prefix}uploads/u/${BLOB}`], [10, "data"]));
  assert.equal(peek(name("team/x/"), { path: WRITE })?.instance, "team/x");
  assert.equal(peek(name(""), { path: WRITE })?.instance, "");
  assert.equal(peek(framed(texts([1, "no/blob"])), { path: WRITE })?.instance, "");
});

test("a second field 1 is refused, cut anywhere", () => {
  const bytes = framed(texts([1, "a"], [1, "b"]));
  for (const size of [1, 4, bytes.length]) {
    assert.equal(
      codeOf(() => peek(bytes, { size })),
      Status.INVALID_ARGUMENT,
    );
  }
  assert.equal(
    codeOf(() => peek(framed(texts([2, "a"], [1, "b"])))),
    Status.INVALID_ARGUMENT,
  );
});

test("broken bytes are refused", () => {
  assert.equal(
    codeOf(() => peek(framed(Buffer.from([0x0a, 5, 0x61])))),
    Status.INVALID_ARGUMENT,
  );
  assert.equal(
    codeOf(() => peek(framed(Buffer.from([0x07])))),
    Status.INVALID_ARGUMENT,
  );
});

test("a field that does not show in 64 KiB is refused, and no more than that is looked at", () => {
  const long = framed(texts([1, "x".repeat(70_000)]));
  assert.equal(
    codeOf(() => peek(long)),
    Status.RESOURCE_EXHAUSTED,
  );
  assert.equal(
    codeOf(() => peek(long, { size: 1000 })),
    Status.RESOURCE_EXHAUSTED,
  );
  assert.equal(peek(framed(texts([1, "x".repeat(60_000)])))?.instance.length, 60_000);
});

test("compressed messages tell as well, from their beginning on", () => {
  const message = texts([1, "team"], [9, "z".repeat(500_000)]);
  const cases = [
    ["gzip", gzipSync(message)],
    ["deflate", deflateSync(message)],
  ] as const;
  for (const [encoding, body] of cases) {
    for (const size of [1, 100, 100_000]) {
      assert.equal(peek(framed(body, 1), { encoding, size })?.instance, "team", `${encoding} ${size}`);
    }
  }
  const twice = framed(gzipSync(texts([1, "a"], [1, "b"])), 1);
  assert.equal(
    codeOf(() => peek(twice, { encoding: "gzip" })),
    Status.INVALID_ARGUMENT,
  );
});

test("compression that cannot be read, is broken or hides too much is refused", () => {
  assert.equal(
    codeOf(() => peek(framed(texts([1, "a"]), 1), { encoding: "zstd" })),
    Status.UNIMPLEMENTED,
  );
  assert.equal(
    codeOf(() => peek(framed(Buffer.from("no gzip"), 1), { encoding: "gzip" })),
    Status.INTERNAL,
  );
  const name = gzipSync(texts([1, "x".repeat(100_000)], [2, "y"]));
  assert.equal(
    codeOf(() => peek(framed(name, 1), { encoding: "gzip" })),
    Status.RESOURCE_EXHAUSTED,
  );
  const bomb = gzipSync(Buffer.concat([texts([1, "x"]), Buffer.alloc(50_000_000)]));
  assert.equal(
    codeOf(() => peek(framed(bomb, 1), { encoding: "gzip" })),
    Status.RESOURCE_EXHAUSTED,
  );
});

test("one byte at a time costs little", () => {
  const noise = Buffer.from(Array.from({ length: 65_000 }, (_, i) => (i * 7919) % 251));
  const held = new FieldWriter();
  held.bytes(1, noise);
  const body = gzipSync(held.toBuffer(), { level: 0 });
  const begun = performance.now();
  peek(framed(held.toBuffer()), { size: 1 });
  peek(framed(body, 1).subarray(0, 60_000), { size: 1, encoding: "gzip" });
  assert.ok(performance.now() - begun < 1_000);
});
