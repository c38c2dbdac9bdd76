import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { startEmbedded } from "../../src/embedded/server.ts";
import type { Bridge } from "../../src/index.ts";
import type { CallHandler } from "../../src/proxy/messages/opened-call.ts";
import type { Route } from "../../src/proxy/routing/route.ts";
import type { Caller } from "../../src/upstream/caller.ts";
import { SAFE_DIALECT, type UpstreamDialect } from "../../src/upstream/dialect.ts";
import type { Upstream } from "../../src/upstream/port.ts";
import { UpstreamClient } from "../../src/upstream/upstream-client.ts";
import { UpstreamError } from "../../src/upstream/upstream-error.ts";
import { DIGEST_FUNCTIONS } from "../../src/wire/digest-function.ts";
import { digestOf } from "../../src/wire/hasher.ts";
import { Status } from "../../src/wire/status.ts";
import { startAfterProbe } from "../support/after-probe.ts";
import { bridgeTo } from "../support/bridge.ts";
import { collect } from "../support/collect.ts";
import { eventually } from "../support/eventually.ts";
import { GrpcClient, outcomeOf } from "../support/grpc.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { TestBudget } from "../support/test-budget.ts";

// The port on the bridge's own calls, within the call of a client, for which it works.

const MEBI = 1024 * 1024;
const METHOD = "/test.Shapes/Unary";

const large = Buffer.alloc(5 * MEBI, "a large blob; ");
const { hash, sizeBytes } = digestOf(large, DIGEST_FUNCTIONS[0]!);
const digest = { hash, sizeBytes };

/** A bridge whose test method runs `work` on a port to the upstream, and a client that calls it. */
async function bridgeWith(
  t: TestContext,
  upstream: string,
  work: (port: Upstream) => Promise<void>,
  dialect: UpstreamDialect = SAFE_DIALECT,
) {
  const budget = new TestBudget();
  const failures: unknown[] = [];
  const handle: CallHandler = async (opened) => {
    const open: Caller["open"] = (path, resourceName) => opened.call(path, resourceName);
    const caller = { budget, open };
    const port = new UpstreamClient({ caller, dialect, instance: "", digestFunction: null });
    try {
      await work(port);
    } catch (error) {
      failures.push(error);
    } finally {
      port.close();
    }
    await opened.respond([Buffer.from("done")]);
  };
  const routes = new Map<string, Route>([[METHOD, { lane: "local", handle }]]);
  const bridge = await bridgeTo(t, upstream, {}, { routes });
  return { bridge, budget, failures, client: new GrpcClient(t, bridge.address) };
}

/** Waits until no stream is open on either side of the bridge. */
async function noStreams({ metrics }: Pick<Bridge, "metrics">): Promise<void> {
  await eventually(async () => {
    const { client, upstream } = await metrics();
    return client.streams + upstream.streams === 0;
  }, "no stream is open");
}

async function embeddedAt(t: TestContext): Promise<string> {
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const server = await startEmbedded({ level: "2.3", listen, dir: null });
  t.after(() => server.stop());
  return server.address;
}

test("blobs of every size go there and back, and nothing stays behind", async (t) => {
  for (const batches of [true, false]) {
    const dialect = { ...SAFE_DIALECT, batchRead: batches, batchUpdate: batches };
    const small = Array.from({ length: 50 }, (_, index) => {
      const bytes = Buffer.from(`small ${index}`);
      const { hash, sizeBytes } = digestOf(bytes, DIGEST_FUNCTIONS[0]!);
      return { digest: { hash, sizeBytes }, bytes };
    });
    const work = async (port: Upstream) => {
      const blobs = [...small, { digest, bytes: large }];
      const digests = blobs.map((blob) => blob.digest);
      assert.equal((await port.findMissing(digests)).length, 51);
      await port.writeBlobs(blobs);
      assert.equal((await port.findMissing(digests)).length, 0);
      const read = await collect(port.readBlobs(digests, large.length));
      assert.equal(read.filter((each) => "bytes" in each).length, 51);
      assert.ok((await port.readBlob(digest, large.length)).equals(large));
      assert.ok(Buffer.concat(await collect(port.streamBlob(digest))).equals(large));
      await assert.rejects(port.readBlob({ ...digest, sizeBytes: 7 }, 100), { code: Status.NOT_FOUND });
    };
    const { bridge, budget, client, failures } = await bridgeWith(t, await embeddedAt(t), work, dialect);
    assert.equal((await client.call("Unary", [Buffer.from("x")])).code, Status.OK);
    assert.deepEqual(failures, []);
    assert.equal(budget.used, 0);
    await noStreams(bridge);
  }
});

test("an upload that ends early, and reads that are left, leave nothing behind", async (t) => {
  const work = async (port: Upstream) => {
    await port.writeBlob(digest, [large]);
    await port.writeBlob(digest, [large]);
    for await (const _ of port.streamBlob(digest)) break;
    for await (const _ of port.readBlobs([digest], large.length)) break;
  };
  const { bridge, budget, client, failures } = await bridgeWith(t, await embeddedAt(t), work);
  assert.equal((await client.call("Unary", [Buffer.from("x")])).code, Status.OK);
  assert.deepEqual(failures, []);
  assert.equal(budget.used, 0);
  await noStreams(bridge);
});

test("an upstream that stops reading and ends the call is heard", async (t) => {
  const upstream = await startAfterProbe();
  t.after(() => upstream.close());
  const { client, failures } = await bridgeWith(t, upstream.address, (port) =>
    port.writeBlob(digest, [large]),
  );
  const outcome = client.call("Unary", [Buffer.from("x")]);
  const peer = await upstream.nextPeer();
  const { stream } = await peer.waitFor("the call", (frame) => frame.type === h2.Type.DATA);
  peer.sendHeaders(
    stream,
    [
      [":status", "200"],
      ["content-type", "application/grpc"],
      ["grpc-status", String(Status.PERMISSION_DENIED)],
      ["grpc-message", "read-only"],
    ],
    h2.Bit.END_STREAM,
  );
  assert.equal((await outcome).code, Status.OK);
  assert.ok(failures[0] instanceof UpstreamError, String(failures[0]));
  assert.deepEqual([failures[0].code, failures[0].message], [Status.PERMISSION_DENIED, "read-only"]);
});

test("when the client goes, the port's calls end", async (t) => {
  const upstream = await startAfterProbe();
  t.after(() => upstream.close());
  const { client, failures } = await bridgeWith(t, upstream.address, async (port) => {
    await port.readBlob(digest, large.length);
  });
  const call = client.open("Unary");
  const outcome = outcomeOf(call);
  call.write(Buffer.from("x"));
  const peer = await upstream.nextPeer();
  const { stream } = await peer.waitFor("the call", (frame) => frame.type === h2.Type.HEADERS);
  call.cancel();
  assert.equal(await peer.resetOf(stream), "CANCEL");
  assert.equal((await outcome).code, Status.CANCELLED);
  assert.ok(failures[0] instanceof UpstreamError && failures[0].code === Status.CANCELLED);
});

test("calls of ByteStream say their resource in the routing header, never that of the client's call", async (t) => {
  const header = "build.bazel.remote.execution.v2.resource-name";
  const upstream = await startAfterProbe();
  t.after(() => upstream.close());
  const { client } = await bridgeWith(t, upstream.address, async (port) => {
    await collect(port.streamBlob(digest)).catch(() => {});
    await port.capabilities();
  });
  const metadata = new grpc.Metadata();
  metadata.set(header, "the/client's/own");
  metadata.set("x-token", "t");
  const outcome = client.call("Unary", [Buffer.from("x")], metadata);
  const peer = await upstream.nextPeer();
  const expected = [[`blobs/${hash}/${sizeBytes}`], []];
  for (const [index, names] of expected.entries()) {
    const stream = 2 * index + 1;
    await peer.waitFor("a call", (frame) => frame.type === h2.Type.HEADERS && frame.stream === stream);
    const [head] = peer.stream(stream).sections;
    const values = (name: string) => head!.filter(([each]) => each === name).map(([, value]) => value);
    assert.deepEqual(values(header), names);
    assert.deepEqual(values("x-token"), ["t"]);
    peer.sendHeaders(
      stream,
      [
        [":status", "200"],
        ["content-type", "application/grpc"],
        ["grpc-status", "5"],
      ],
      h2.Bit.END_STREAM,
    );
  }
  await outcome;
});
