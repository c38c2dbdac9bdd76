import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { getProtoPath } from "google-proto-files";
import protobuf from "protobufjs";
import {
  badRequestDetail,
  errorInfoDetail,
  preconditionFailureDetail,
  readBadRequest,
  readErrorInfo,
  readPreconditionFailure,
} from "../../../src/wire/error-details.ts";
import {
  type Detail,
  decodeStatusDetails,
  detailType,
  encodeStatus,
  encodeStatusDetails,
  readStatus,
} from "../../../src/wire/status-details.ts";
import { Walker } from "../../../src/wire/walker.ts";
import { hex, wireError } from "./support.ts";

const rpc = getProtoPath("rpc");
const root = new protobuf.Root();
root.resolvePath = (_, target) =>
  target.startsWith("google/") ? join(rpc, "..", target.slice("google/".length)) : target;
await root.load([join(rpc, "status.proto"), join(rpc, "error_details.proto")]);

/** What protobufjs, an independent implementation, reads. */
function independently(type: string, bytes: Uint8Array): unknown {
  const message = root.lookupType(`google.rpc.${type}`);
  return message.toObject(message.decode(bytes), { defaults: true });
}

const DETAIL: Detail = { typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value: hex("0a02 0805") };

test("a status is read by another implementation as it was written, and back", () => {
  const status = {
    code: 9,
    message: "naïve",
    details: [DETAIL, { typeUrl: "x/Y", value: Buffer.alloc(400, 7) }],
  };
  const bytes = encodeStatus(status);
  assert.deepEqual(independently("Status", bytes), {
    code: 9,
    message: "naïve",
    details: status.details.map(({ typeUrl, value }) => ({ type_url: typeUrl, value })),
  });
  assert.deepEqual(readStatus(new Walker(bytes)), status);
});

test("the empty status is empty", () => {
  const status = { code: 0, message: "", details: [] };
  assert.equal(encodeStatus(status).length, 0);
  assert.deepEqual(readStatus(new Walker(Buffer.alloc(0))), status);
  assert.deepEqual(decodeStatusDetails(""), status);
});

test("an odd code survives, unknown fields do not hinder", () => {
  assert.equal(readStatus(new Walker(hex("08 ffffffffffffffffff01 78 01"))).code, -1);
  assert.equal(readStatus(new Walker(encodeStatus({ code: -1, message: "", details: [] }))).code, -1);
});

test("the trailer is read with padding and without", () => {
  const status = { code: 5, message: "no", details: [DETAIL] };
  const value = encodeStatusDetails(status);
  assert.doesNotMatch(value, /=/);
  assert.deepEqual(decodeStatusDetails(value), status);
  assert.deepEqual(decodeStatusDetails(value.padEnd(Math.ceil(value.length / 4) * 4, "=")), status);
});

test("a trailer that is not base64, or not a status, is a named error", () => {
  assert.throws(() => decodeStatusDetails("%%%"), wireError("base64"));
  assert.throws(() => decodeStatusDetails("EgVh"), wireError("truncated"));
  assert.throws(() => decodeStatusDetails("CgA"), wireError("wire-type"));
});

test("a detail's type is what follows the last slash", () => {
  assert.equal(detailType(DETAIL), "google.rpc.RetryInfo");
  assert.equal(detailType({ typeUrl: "a/b/C", value: DETAIL.value }), "C");
  assert.equal(detailType({ typeUrl: "C", value: DETAIL.value }), "C");
});

test("ErrorInfo", () => {
  const info = {
    reason: "REAPI_FEATURE_UNSUPPORTED",
    domain: "d",
    metadata: { feature: "salt", drift: "D38", empty: "" },
  };
  const detail = errorInfoDetail(info);
  assert.equal(detailType(detail), "google.rpc.ErrorInfo");
  assert.deepEqual(independently("ErrorInfo", detail.value), info);
  assert.deepEqual({ ...readErrorInfo(detail.value).metadata }, info.metadata);
  assert.equal(readErrorInfo(detail.value).reason, info.reason);
  const turned = { ...info, metadata: { empty: "", drift: "D38", feature: "salt" } };
  assert.deepEqual(errorInfoDetail(turned), detail);
});

test("ErrorInfo metadata cannot reach the prototype", () => {
  const detail = errorInfoDetail({ reason: "r", domain: "", metadata: { ["__proto__"]: "x" } });
  assert.equal(Object.getPrototypeOf(readErrorInfo(detail.value).metadata), null);
  assert.deepEqual(Object.entries(readErrorInfo(detail.value).metadata), [["__proto__", "x"]]);
});

test("PreconditionFailure", () => {
  const violations = [
    { type: "MISSING", subject: "blobs/ab/1", description: "" },
    { type: "MISSING", subject: "blobs/blake3/cd/2", description: "gone" },
  ];
  const detail = preconditionFailureDetail(violations);
  assert.equal(detailType(detail), "google.rpc.PreconditionFailure");
  assert.deepEqual(independently("PreconditionFailure", detail.value), { violations });
  assert.deepEqual(readPreconditionFailure(detail.value), violations);
});

test("BadRequest", () => {
  const violations = [{ field: "requests[0].compressor", description: "not offered" }];
  const detail = badRequestDetail(violations);
  assert.equal(detailType(detail), "google.rpc.BadRequest");
  assert.deepEqual(readBadRequest(detail.value), violations);
  const [read] = (independently("BadRequest", detail.value) as { fieldViolations: object[] }).fieldViolations;
  assert.deepEqual(
    { field: "requests[0].compressor", description: "not offered" },
    Object.fromEntries(Object.entries(read!).filter(([key]) => key === "field" || key === "description")),
  );
});

test("details of later revisions are read as far as they are known", () => {
  const value = hex("0a 06 0a0178 220179 120161");
  assert.deepEqual(readPreconditionFailure(value.subarray(0, 8)), [
    { type: "x", subject: "", description: "" },
  ]);
});
