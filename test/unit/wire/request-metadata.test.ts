import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeBinaryHeader } from "../../../src/wire/binary-header.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { readToolDetails } from "../../../src/wire/request-metadata.ts";

function metadata(name: string, version: string): Buffer {
  const tool = new FieldWriter();
  tool.text(1, name);
  tool.text(2, version);
  const out = new FieldWriter();
  out.bytes(1, Buffer.concat(tool.finish()));
  out.text(2, "action");
  out.text(99, "of a later revision");
  return Buffer.concat(out.finish());
}

test("the tool and its version are read, with padding or without", () => {
  for (const name of ["bazel", "bazel!", "bazel!!"]) {
    const bytes = metadata(name, "8.1.0");
    assert.deepEqual(readToolDetails(encodeBinaryHeader(bytes)), { name, version: "8.1.0" });
    assert.deepEqual(readToolDetails(bytes.toString("base64")), { name, version: "8.1.0" });
  }
});

test("base64 of base64, as old clients wrote it, is read as well", () => {
  const inner = metadata("BuildStream", "1.2").toString("base64");
  const value = encodeBinaryHeader(Buffer.from(inner, "latin1"));
  assert.deepEqual(readToolDetails(value), { name: "BuildStream", version: "1.2" });
});

test("metadata that name no tool, or cannot be read, tell nothing", () => {
  const out = new FieldWriter();
  out.text(2, "action");
  assert.equal(readToolDetails(encodeBinaryHeader(Buffer.concat(out.finish()))), null);
  assert.equal(readToolDetails(""), null);
  assert.equal(readToolDetails("two, values"), null);
  assert.equal(readToolDetails(encodeBinaryHeader(Buffer.from([0x0a, 200, 1]))), null);
  assert.equal(readToolDetails(encodeBinaryHeader(metadata("x".repeat(20_000), ""))), null);
});

test("no value makes it throw", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.base64String(),
        fc.uint8Array().map((b) => encodeBinaryHeader(Buffer.from(b))),
      ),
      (value) => {
        const found = readToolDetails(value);
        assert.ok(found === null || typeof found.name === "string");
      },
    ),
  );
});
