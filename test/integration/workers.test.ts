import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { StartError } from "../../src/config/start-error.ts";
import type { ReachableConfig } from "../../src/config/types.ts";
import { createBridge } from "../../src/index.ts";
import { Workers } from "../../src/proxy/workers.ts";
import { bridgeTo, configFor } from "../support/bridge.ts";
import { Authority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw, dial, request } from "../support/raw-h2/client.ts";
import { startEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import type { RawPeer } from "../support/raw-h2/peer.ts";

// Several threads behind one port: to clients and operators they are one bridge.

const CLIENTS = 40;

async function echo(t: TestContext): Promise<string> {
  const upstream = await startEcho();
  t.after(() => upstream.close());
  return upstream.address;
}

async function clientsOf(t: TestContext, address: string): Promise<RawPeer[]> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectRaw(address)));
  t.after(() => {
    for (const client of clients) client.close();
  });
  return clients;
}

const config = (upstream: string, workers: number): ReachableConfig =>
  configFor(upstream, { workers }) as ReachableConfig;

test("calls on many connections; the counts are those of all threads together", async (t) => {
  const { address, metrics } = await bridgeTo(t, await echo(t), { workers: 2 });
  const clients = await clientsOf(t, address);
  for (const client of clients) client.sendHeaders(1, request(), h2.Bit.END_STREAM);
  for (const client of clients) assert.equal((await client.outcome(1)).grpcStatus, 0);
  const { client, bridge, calls } = await metrics();
  assert.equal(client.connectionsTotal, CLIENTS);
  assert.equal(client.streamsTotal, CLIENTS);
  assert.deepEqual(
    calls.map(({ method, lane, codes }) => [method, lane, codes[0]]),
    [["/test.Echo/Call", "relay", CLIENTS]],
  );
  assert.equal(bridge.budgetLimit, 256 * 1024 * 1024);
});

test("the kernel deals the connections out to all threads", async (t) => {
  const upstream = await echo(t);
  // Two bridges of one thread each that share a port: what each got can be told apart.
  const first = new Workers(config(upstream, 1), "", assert.fail);
  const second = new Workers(config(upstream, 1), "", assert.fail);
  t.after(() => Promise.all([first.terminate(), second.terminate()]));
  const listening = await first.listen([{ kind: "tcp", host: "127.0.0.1", port: 0 }]);
  assert.deepEqual(await second.listen(listening), listening);
  const [at] = listening;
  await clientsOf(t, `127.0.0.1:${at!.kind === "tcp" ? at!.port : 0}`);
  const counts = [await first.snapshot(), await second.snapshot()].map(
    ({ client }) => client.connectionsTotal,
  );
  assert.equal(counts[0]! + counts[1]!, CLIENTS);
  assert.ok(Math.min(...counts) > 0, `all went to one: ${counts}`);
});

test("all threads drain: clients are asked to leave, nobody new is let in", async (t) => {
  const bridge = await bridgeTo(t, await echo(t), { workers: 2, drain: { minMs: 0, maxMs: 60_000 } });
  const clients = await clientsOf(t, bridge.address);
  for (const client of clients) client.sendHeaders(1, request());
  for (const client of clients) await client.waitFor("an answer", (f) => f.headers !== undefined);
  const stopped = bridge.stop();
  for (const client of clients) await client.goaway(true);
  await assert.rejects(connectRaw(bridge.address), /ECONNREFUSED/);
  for (const client of clients) client.send(h2.data(1, Buffer.alloc(0), h2.Bit.END_STREAM));
  for (const client of clients) assert.equal((await client.outcome(1)).grpcStatus, 0);
  await stopped;
});

test("an address in use is told as by one thread", async (t) => {
  const upstream = await echo(t);
  const taken = configFor(upstream, {
    workers: 2,
    listen: [{ kind: "tcp", host: "127.0.0.1", port: Number(upstream.split(":")[1]) }],
  });
  await assert.rejects(createBridge({ config: taken }), (error) => {
    assert.ok(error instanceof StartError);
    assert.deepEqual([error.kind, /the address is in use/.test(error.message)], ["listen", true]);
    return true;
  });
});

test("TLS files that cannot be used are told as by one thread", async (t) => {
  const { folder } = new Authority(t);
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  for (const file of [cert, key]) writeFileSync(file, "no certificate");
  for (const workers of [1, 2]) {
    const wrong = configFor("127.0.0.1:1", { workers, tls: { cert, key } });
    await assert.rejects(createBridge({ config: wrong }), (error) => {
      assert.ok(error instanceof StartError);
      assert.equal(error.kind, "config");
      assert.match(error.message, /cannot use the TLS files .*cert\.pem/);
      return true;
    });
  }
});

test("a thread that fails is reported, and keeps nobody from stopping the others", async (t) => {
  const upstream = await echo(t);
  const died: Error[] = [];
  // No check lets this pass; in a thread it fails when the first client comes.
  const given = config(upstream, 2);
  const limits = { ...given.limits, maxStreamsPerConnection: 1n as unknown as number };
  const workers = new Workers({ ...given, limits }, "", (error) => died.push(error));
  t.after(() => workers.terminate());
  const [at] = await workers.listen([{ kind: "tcp", host: "127.0.0.1", port: 0 }]);
  const address = `127.0.0.1:${at!.kind === "tcp" ? at!.port : 0}`;
  const socket = dial(address).on("error", () => {});
  socket.write(h2.PREFACE);
  await eventually(() => died.length === 1, "the thread that got the client has failed");
  assert.match(died[0]!.message, /BigInt/);
  assert.equal((await workers.snapshot()).bridge.budgetLimit, 128 * 1024 * 1024);
  await Promise.all([workers.drain(), workers.cut()]);
  socket.destroy();
});
