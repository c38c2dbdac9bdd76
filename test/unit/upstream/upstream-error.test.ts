import assert from "node:assert/strict";
import { test } from "node:test";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { preconditionFailureDetail } from "../../../src/wire/error-details.ts";
import { Status } from "../../../src/wire/status.ts";
import { encodeStatusDetails } from "../../../src/wire/status-details.ts";

test("details are kept as they came, and can be read", () => {
  const detail = preconditionFailureDetail([{ type: "MISSING", subject: "blobs/aa/1", description: "" }]);
  const raw = encodeStatusDetails({ code: Status.FAILED_PRECONDITION, message: "no", details: [detail] });
  const error = new UpstreamError(Status.FAILED_PRECONDITION, "no", raw);
  assert.equal(error.rawDetails, raw);
  assert.deepEqual(error.details, [detail]);
});

test("without details, or with unreadable ones, there are none", () => {
  assert.deepEqual(new UpstreamError(Status.NOT_FOUND, "no").details, []);
  assert.deepEqual(new UpstreamError(Status.NOT_FOUND, "no", "§").details, []);
  assert.deepEqual(new UpstreamError(Status.NOT_FOUND, "no", "CgU").details, []);
});
