import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { CREATE_LOG_STREAM, READ } from "../../../src/translators/methods.ts";
import { Status } from "../../../src/wire/status.ts";
import { call, client, plan, server } from "../support.ts";

test("given a server that is known to lack the service, when a client makes a stream, then it is refused by name", () => {
  const forms = { "log-streams": { reads: ["absent"], writes: ["absent"] } };
  for (const lacking of [
    server({ level: "2.0", source: "configured" }),
    server({ missingMethods: [CREATE_LOG_STREAM] }),
    server({ level: "2.0", source: "profile", forms }),
  ]) {
    const method = plan(client(), lacking).methods.get(CREATE_LOG_STREAM)!;
    assert.equal(method.lane, "reject");
    const error = method.refusal!();
    assert.equal(error.status, Status.UNIMPLEMENTED);
    assert.match(error.message, /^The method CreateLogStream \(API 2\.2\) .*\[method-unsupported, D48\]$/);
  }
});

test("given a server that has it, or of which only a version is known, then the call is relayed", () => {
  for (const other of [server(), server({ level: "2.0" }), server({ level: null })])
    assert.equal(plan(client(), other).methods.get(CREATE_LOG_STREAM), undefined);
});

test("given an older client and a newer server, then nothing is done about it", () => {
  assert.equal(plan(client({ level: "2.0" }), server()).methods.get(CREATE_LOG_STREAM), undefined);
});

test("given the name of a stream, when it is read from a server without blobs of that kind, then it passes as it is", async () => {
  const { methods } = plan(client(), server({ level: "2.2" }));
  const request = codec().encode("google.bytestream.ReadRequest", { resourceName: "logs/1/write/blob" });
  assert.equal(await editRequest(methods.get(READ)!, request, call(READ)), request);
});
