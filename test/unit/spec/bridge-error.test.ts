import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BridgeError, type RefusalFacts } from "../../../src/spec/bridge-error.ts";
import { REFUSAL_STATUS, type RefusalCode } from "../../../src/spec/refusal-codes.ts";
import { readBadRequest, readErrorInfo, readPreconditionFailure } from "../../../src/wire/error-details.ts";
import { Status, statusName } from "../../../src/wire/status.ts";
import { decodeStatusDetails, detailType } from "../../../src/wire/status-details.ts";

const FACTS: RefusalFacts = {
  code: "output-unsupported",
  feature: "output-paths",
  drift: "D24",
  used: "Command.output_paths",
  since: "2.1",
  has: 'the upstream "farm" speaks 2.0 and reads typed lists only',
  fix: "have the client declare output files and directories",
  field: "output_paths",
  clientForm: "paths",
  upstreamVersion: "2.0",
};

test("the message holds the four facts, the code and the drift item", () => {
  assert.equal(
    new BridgeError(FACTS).message,
    'Command.output_paths (API 2.1) was used, but the upstream "farm" speaks 2.0 and reads typed lists only; ' +
      "have the client declare output files and directories [output-unsupported, D24]",
  );
});

test("what no revision introduced has none in its message", () => {
  assert.match(new BridgeError({ ...FACTS, since: null }).message, /^Command\.output_paths was used/);
});

test("programs find the facts in ErrorInfo and the field in BadRequest", () => {
  const error = new BridgeError(FACTS);
  const { code, message, details } = decodeStatusDetails(error.details);
  assert.equal(code, Status.INVALID_ARGUMENT);
  assert.equal(message, error.message);
  assert.deepEqual(details.map(detailType), ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]);
  const info = readErrorInfo(details[0]!.value);
  assert.equal(info.reason, "REAPI_FEATURE_UNSUPPORTED");
  assert.equal(info.domain, "reapi-bridge");
  assert.deepEqual(
    { ...info.metadata },
    {
      code: "output-unsupported",
      drift: "D24",
      feature: "output-paths",
      client_form: "paths",
      upstream_version: "2.0",
    },
  );
  assert.deepEqual(readBadRequest(details[1]!.value), [
    { field: "output_paths", description: error.message },
  ]);
});

test("a missing method has no field to blame", () => {
  const error = new BridgeError({ ...FACTS, code: "method-unsupported" });
  assert.equal(error.status, Status.UNIMPLEMENTED);
  assert.deepEqual(decodeStatusDetails(error.details).details.map(detailType), ["google.rpc.ErrorInfo"]);
});

test("missing blobs are named as clients expect them", () => {
  const missing = [{ type: "MISSING", subject: `blobs/${"a".repeat(64)}/3`, description: "" }];
  const error = new BridgeError({ ...FACTS, code: "action-missing", missing });
  const { details } = decodeStatusDetails(error.details);
  assert.equal(error.status, Status.FAILED_PRECONDITION);
  assert.deepEqual(readPreconditionFailure(details[1]!.value), missing);
});

test("no refusal has a status that clients repeat by themselves, and only missing blobs are preconditions", () => {
  const repeated = [
    Status.UNAVAILABLE,
    Status.ABORTED,
    Status.INTERNAL,
    Status.UNKNOWN,
    Status.RESOURCE_EXHAUSTED,
    Status.DEADLINE_EXCEEDED,
  ] as readonly number[];
  for (const [code, status] of Object.entries(REFUSAL_STATUS)) {
    assert.ok(!repeated.includes(status), code);
    assert.equal(status === Status.FAILED_PRECONDITION, code === "action-missing", code);
  }
});

test("docs/errors.md explains each code with its status, and no other", () => {
  const page = readFileSync("docs/errors.md", "utf8");
  const rows = [...page.matchAll(/^\| \*\*([a-z-]+)\*\* \| ([A-Z_]+) \|/gm)].map(([, code, status]) => [
    code,
    status,
  ]);
  const table = Object.entries(REFUSAL_STATUS).map(([code, status]) => [
    code as RefusalCode,
    statusName(status),
  ]);
  assert.deepEqual(rows.sort(), table.sort());
});
