import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest } from "../../../src/plan/run-hooks.ts";
import { codec } from "../../../src/spec/codec.ts";
import { FETCH_BLOB, FETCH_DIRECTORY, PUSH_BLOB } from "../../../src/translators/methods.ts";
import { call, client, plan, server } from "../support.ts";

const ASSET = "build.bazel.remote.asset.v1";
const newToOld = plan(client(), server({ level: "2.11" }));
const evidence = "a test";

const fetching = (...values: string[]) =>
  codec().encode(`${ASSET}.FetchBlobRequest`, {
    uris: ["u"],
    qualifiers: [
      { name: "other", value: "a b" },
      ...values.map((value) => ({ name: "checksum.sri", value })),
    ],
  });

async function sent(message: Buffer, pair = newToOld, path = FETCH_BLOB): Promise<Buffer> {
  return editRequest(pair.methods.get(path)!, message, call(path));
}

test("given several checksums, when the server is older, then the strongest one stays, and other qualifiers as they are", async () => {
  assert.deepEqual(await sent(fetching("sha256-a  sha512-b\nsha384-c sha1-d")), fetching("sha512-b"));
  assert.deepEqual(await sent(fetching("sha1-d sha256-a"), newToOld, FETCH_DIRECTORY), fetching("sha256-a"));
});

test("given a server that checks SHA-256 only, then that one stays, however strong others are", async () => {
  const facts = { assets: { qualifiers: "refused", checksums: "sha256", evidence } } as const;
  const pair = plan(client(), server({ level: "2.3", facts }));
  assert.deepEqual(await sent(fetching("sha512-b sha256-a"), pair), fetching("sha256-a"));
  const none = fetching("sha512-b sha384-c");
  assert.equal(await sent(none, pair), none);
});

test("given pushes, then they say what fetches will", async () => {
  const pushing = (value: string) =>
    codec().encode(`${ASSET}.PushBlobRequest`, {
      uris: ["u"],
      qualifiers: [{ name: "checksum.sri", value }],
    });
  assert.deepEqual(await sent(pushing("sha256-a sha384-c"), newToOld, PUSH_BLOB), pushing("sha384-c"));
});

test("given one checksum, none, or only such as nobody knows, then the request is the same buffer", async () => {
  for (const message of [fetching("sha256-a"), fetching(" sha256-a "), fetching(), fetching("x-a y-b")])
    assert.equal(await sent(message), message);
});

test("given a newer server, or an older client, then the call is relayed", () => {
  for (const pair of [plan(client(), server()), plan(client({ level: "2.11" }), server())])
    assert.ok(!pair.methods.get(FETCH_BLOB)?.features.includes("asset-checksums"));
  const please = client({ level: "2.2", forms: { "asset-checksums": { writes: ["several"] } } });
  const pair = plan(please, server({ level: "2.2" }));
  assert.ok(pair.methods.get(FETCH_BLOB)?.features.includes("asset-checksums"));
});
