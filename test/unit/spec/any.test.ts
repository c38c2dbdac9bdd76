import assert from "node:assert/strict";
import { test } from "node:test";
import { packAny, unpackAny } from "../../../src/spec/any.ts";
import { codec, MalformedMessageError } from "../../../src/spec/codec.ts";
import { enums } from "../../../src/spec/generated/enums.ts";
import { bytes, field, varintField } from "./wire-bytes.ts";

const METADATA = "build.bazel.remote.execution.v2.ExecuteOperationMetadata";

test("the metadata of an operation is packed as other implementations write it", () => {
  const metadata = packAny(codec(), METADATA, { stage: enums.ExecutionStage.COMPLETED });
  const wire = codec().encode("google.longrunning.Operation", { metadata });
  const any = bytes(field(1, `type.googleapis.com/${METADATA}`), field(2, varintField(1, 4n)));
  assert.deepEqual(wire, field(2, any));
});

test("it is unpacked whatever stands before the last slash of its type", () => {
  for (const typeUrl of [`type.googleapis.com/${METADATA}`, `/${METADATA}`, METADATA, `a/b/${METADATA}`]) {
    assert.equal(unpackAny(codec(), METADATA, { typeUrl, value: varintField(1, 3n) })?.stage, 3);
  }
});

test("another type, or none, is null; wrong content is an error", () => {
  const value = Buffer.from([0x0a]);
  assert.equal(unpackAny(codec(), METADATA, null), null);
  for (const other of [`${METADATA}2`, `not.${METADATA}`, ""]) {
    assert.equal(unpackAny(codec(), METADATA, { typeUrl: `type.googleapis.com/${other}`, value }), null);
  }
  assert.throws(() => unpackAny(codec(), METADATA, { typeUrl: METADATA, value }), MalformedMessageError);
});
