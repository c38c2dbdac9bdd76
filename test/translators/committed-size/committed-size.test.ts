import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { QUERY_WRITE_STATUS, WRITE } from "../../../src/translators/methods.ts";
import type { Forward } from "../../../src/translators/translator.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { readCommittedSize, writeWriteRequest, writeWriteResponse } from "../../../src/wire/byte-stream.ts";
import { Status } from "../../../src/wire/status.ts";
import { exchanged } from "../plain-store.ts";
import { inParts, StreamedBlob, streaming } from "../streams.ts";
import { client, plan, server } from "../support.ts";

// Both ends compress, and count in different ways (D16). The pairs are those of bazelbuild/bazel#30000.

type Count = "sent" | "blob" | "minus-one";

/** What each client is told of an upload, and of one of a blob that is there already. */
const PAIRS: readonly [client: string, server: string, whole: Count, early: Count][] = [
  ["siso@2025-05", "bazel-remote@2.6", "blob", "blob"],
  ["siso@2025-05", "buildfarm@2.17", "blob", "blob"],
  ["siso@2025-05", "kajiya", "blob", "blob"],
  ["bazel@5.0", "buildfarm@2.17", "sent", "sent"],
  ["bazel@5.0", "bazel-remote@2.6", "sent", "sent"],
  ["bazel@5.1", "kajiya", "sent", "minus-one"],
  ["buck2", "kajiya", "sent", "minus-one"],
  ["bazel@9.3", "kajiya", "blob", "blob"],
  ["buck2", "buildfarm@2.17", "minus-one", "minus-one"],
  ["reclient", "bazel-remote@2.6", "blob", "blob"],
];

for (const [from, to, whole, early] of PAIRS) {
  test(`given ${from} at ${to}, then an upload is reported as ${whole}, and early as ${early}`, async (t) => {
    const { direct, bridged } = await streaming(t, { server: { profile: to }, client: from });
    const blob = new StreamedBlob(randomBytes(150_000));
    const packed = await blob.packed("ZSTD");
    const counts = { sent: packed.length, blob: blob.bytes.length, "minus-one": -1 };
    const parts = inParts(packed, 40_000);
    assert.equal(await bridged.write(blob.write("ZSTD"), parts), counts[whole]);
    assert.ok((await direct.read(blob.read())).equals(blob.bytes));
    assert.equal(await bridged.write(blob.write("ZSTD"), parts), counts[early]);
    assert.equal(await bridged.write(blob.write(), [blob.bytes]), blob.bytes.length);
  });
}

test("given a client that nobody knows, or one that takes what comes, then uploads stay relayed", () => {
  const bytes = Buffer.concat(write(new StreamedBlob(Buffer.alloc(9)).write("ZSTD")));
  for (const takes of [undefined, ["sent", "minus-one"]]) {
    const from = takes === undefined ? {} : { forms: { "committed-size": { reads: takes } } };
    const pair = plan(
      client(from),
      server({ forms: { "committed-size": { writes: ["sent", "minus-one"] } } }),
    );
    assert.equal(
      pair.methods.get(WRITE)?.opens?.({ bytes, whole: true, length: bytes.length }) ?? false,
      false,
    );
  }
});

test("given a client that takes one count, then its plain uploads stay relayed", () => {
  const { methods } = plan(client({ forms: { "committed-size": { reads: ["blob"] } } }), server());
  const opens = (name: string) => {
    const bytes = Buffer.concat(write(name));
    return methods.get(WRITE)!.opens!({ bytes, whole: true, length: bytes.length });
  };
  const blob = new StreamedBlob(Buffer.alloc(9));
  assert.deepEqual([opens(blob.write("ZSTD")), opens(blob.write())], [true, false]);
});

const write = (resourceName: string, data = Buffer.alloc(9)) =>
  writeWriteRequest({ resourceName, writeOffset: 0, finishWrite: true, data });

test("given a server that refuses what is there, then the upload is a success with the full size", async () => {
  const refusing = plan(
    client({ forms: { "committed-size": { reads: ["minus-one", "sent"] } } }),
    server({ forms: { "committed-size": { writes: ["sent", "refused"] } } }),
  );
  const forward: Forward = async function* (requests) {
    for await (const _ of requests) throw new UpstreamError(Status.ALREADY_EXISTS, "it is there");
    yield Buffer.alloc(0);
  };
  const blob = new StreamedBlob(Buffer.alloc(9));
  const report = async (name: string): Promise<number> => {
    const [answer] = await exchanged(refusing, WRITE, [Buffer.concat(write(name))], forward);
    return readCommittedSize(answer!);
  };
  assert.equal(await report(blob.write()), 9);
  assert.equal(await report(blob.write("ZSTD")), 9);
});

test("given any other error of the server, then it passes", async () => {
  const pair = plan(client({ forms: { "committed-size": { reads: ["blob"] } } }), server());
  const failure = new UpstreamError(Status.RESOURCE_EXHAUSTED, "full");
  const forward: Forward = async function* () {
    yield* [];
    throw failure;
  };
  const request = Buffer.concat(write(new StreamedBlob(Buffer.alloc(9)).write("ZSTD")));
  await assert.rejects(exchanged(pair, WRITE, [request], forward), failure);
});

test("given a number that is no count of a whole upload, then it passes as it is", async () => {
  const pair = plan(client({ forms: { "committed-size": { reads: ["blob"] } } }), server());
  const forward: Forward = async function* (requests) {
    for await (const _ of requests);
    yield Buffer.concat(writeWriteResponse(4));
  };
  const request = Buffer.concat(write(new StreamedBlob(Buffer.alloc(9)).write("ZSTD"), randomBytes(20)));
  const [answer] = await exchanged(pair, WRITE, [request], forward);
  assert.equal(readCommittedSize(answer!), 4);
});

test("given a compressed upload that is complete, then its status has the size of the blob", async (t) => {
  const { bridged } = await streaming(t, { server: { profile: "buildfarm@2.17" }, client: "siso@2025-05" });
  const blob = new StreamedBlob(randomBytes(1_000));
  const resourceName = blob.write("ZSTD");
  const status = async () => {
    type Status = Messages["google.bytestream.QueryWriteStatusResponse"];
    const { committedSize, complete } = await bridged.unary<Status>(QUERY_WRITE_STATUS, { resourceName });
    return { committedSize, complete };
  };
  assert.deepEqual(await status(), { committedSize: 0n, complete: false });
  await bridged.write(resourceName, [await blob.packed("ZSTD")]);
  assert.deepEqual(await status(), { committedSize: 1_000n, complete: true });
});
