import assert from "node:assert/strict";
import { test } from "node:test";
import { Status } from "../../../src/wire/status.ts";
import { startAfterProbe } from "../../support/after-probe.ts";
import { bridgeTo } from "../../support/bridge.ts";
import * as h2 from "../../support/raw-h2/frames.ts";
import { failure, ReapiClient, sha256 } from "../../support/reapi-client.ts";
import { atRest, blobsOf } from "../batches.ts";

// Batches that are divided, and whose calls do not come to a good end. The limit is that of NativeLink: 64 KiB.

async function behindBridge(t: Parameters<typeof bridgeTo>[0]) {
  const upstream = await startAfterProbe();
  t.after(() => upstream.close());
  const bridge = await bridgeTo(t, upstream.address, { upstream: { profile: "nativelink@1.5" } });
  return { upstream, bridge, client: new ReapiClient(t, bridge.address) };
}

function begins(stream: number) {
  return (frame: h2.Frame) => frame.type === h2.Type.HEADERS && frame.stream === stream;
}

test("when the caller is gone, then every call for a part of its batch ends, and no stream stays", async (t) => {
  const { upstream, bridge, client } = await behindBridge(t);
  const requests = blobsOf(...Array(20).fill(30_000)).map((data) => ({ digest: sha256(data), data }));
  const caller = new AbortController();
  const call = (async () => {
    for await (const _ of client.stream(
      "ContentAddressableStorage/BatchUpdateBlobs",
      { requests },
      caller.signal,
    ));
  })();
  const peer = await upstream.nextPeer();
  const streams = [1, 3, 5, 7];
  for (const stream of streams) await peer.waitFor("a part", begins(stream));
  caller.abort();
  assert.equal((await failure(call)).code, Status.CANCELLED);
  for (const stream of streams) assert.equal(await peer.resetOf(stream), "CANCEL");
  await atRest({ bridge });
  await peer.fence();
  assert.ok(!peer.log.some(begins(9)), "another part was begun");
});

test("when the caller of large blobs is gone, then every stream that reads one ends", async (t) => {
  const { upstream, bridge, client } = await behindBridge(t);
  const digests = blobsOf(
    ...Array(12)
      .fill(0)
      .map((_, at) => 100_000 + at),
  ).map((data) => sha256(data));
  const caller = new AbortController();
  const call = (async () => {
    for await (const _ of client.stream(
      "ContentAddressableStorage/BatchReadBlobs",
      { digests },
      caller.signal,
    ));
  })();
  const peer = await upstream.nextPeer();
  const streams = [1, 3, 5, 7, 9, 11, 13, 15];
  for (const stream of streams) await peer.waitFor("a read", begins(stream));
  caller.abort();
  assert.equal((await failure(call)).code, Status.CANCELLED);
  for (const stream of streams) assert.equal(await peer.resetOf(stream), "CANCEL");
  await atRest({ bridge });
  await peer.fence();
  assert.ok(!peer.log.some(begins(17)), "another read was begun");
});

test("when the upstream goes away amid the parts, then the call ends in UNAVAILABLE, which clients try again", async (t) => {
  const { upstream, bridge, client } = await behindBridge(t);
  const requests = blobsOf(...Array(8).fill(30_000)).map((data) => ({ digest: sha256(data), data }));
  const call = client.unary("ContentAddressableStorage/BatchUpdateBlobs", { requests });
  const peer = await upstream.nextPeer();
  await peer.waitFor("a part", begins(1));
  peer.close();
  void upstream.close();
  assert.equal((await failure(call)).code, Status.UNAVAILABLE);
  await atRest({ bridge });
});
