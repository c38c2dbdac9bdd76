import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { QUERY_WRITE_STATUS } from "../../../src/translators/methods.ts";
import { Status } from "../../../src/wire/status.ts";
import { failure, type ReapiClient } from "../../support/reapi-client.ts";
import { errorFact, StreamedBlob, streaming } from "../streams.ts";
import { client, plan, server } from "../support.ts";

type WriteStatus = Messages["google.bytestream.QueryWriteStatusResponse"];

async function status(from: ReapiClient, resourceName: string) {
  const { committedSize, complete } = await from.unary<WriteStatus>(QUERY_WRITE_STATUS, { resourceName });
  return { committedSize, complete };
}

for (const profile of ["buildbarn@2026-03-26", "bazel-remote@2.3.3", "buildgrid@2019-12"]) {
  test(`given ${profile}, which lacks QueryWriteStatus, then an upload is complete or begins anew`, async (t) => {
    const { direct, bridged } = await streaming(t, { server: { profile } });
    const blob = new StreamedBlob(randomBytes(500));
    assert.equal((await failure(status(direct, blob.write()))).code, Status.UNIMPLEMENTED);
    for (const name of [blob.write(), blob.write("ZSTD")])
      assert.deepEqual(await status(bridged, name), { committedSize: 0n, complete: false });
    await bridged.write(blob.write(), [blob.bytes]);
    for (const name of [blob.write(), blob.write("ZSTD")])
      assert.deepEqual(await status(bridged, name), { committedSize: 500n, complete: true });
    const refused = await failure(status(bridged, "streams/of/a/log"));
    assert.equal(refused.code, Status.UNIMPLEMENTED);
    assert.equal(errorFact(refused, "feature"), "write-status");
    assert.equal(
      (await failure(status(bridged, blob.write().replace(/\w+\/500$/, "ab/500")))).code,
      Status.INVALID_ARGUMENT,
    );
  });
}

test("given a server that has it, or of which nobody knows, then the calls pass", () => {
  for (const to of [server(), server({ level: null })])
    assert.equal(
      plan(client({ level: "2.2" }), to).methods.get(QUERY_WRITE_STATUS)?.lane ?? "relay",
      "relay",
    );
});
