import assert from "node:assert/strict";
import { test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { StartError } from "../../src/config/start-error.ts";
import { createBridge } from "../../src/index.ts";
import { bridgeTo, configFor } from "../support/bridge.ts";
import { freePort } from "../support/free-port.ts";
import { GrpcClient, grpcServer } from "../support/grpc.ts";
import { startEcho } from "../support/raw-h2/echo.ts";

// A bridge that is its own upstream would pass each call on to itself for ever.

const at = (port: number) => ({ listen: [{ kind: "tcp", host: "127.0.0.1", port }] as const });

test("a bridge pointed at itself does not start", async () => {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  await assert.rejects(createBridge({ config: configFor(address, at(port)) }), (error) => {
    assert.ok(error instanceof StartError);
    assert.equal(error.kind, "upstream");
    assert.match(error.message, new RegExp(`the upstream ${address} leads back to this bridge`));
    return true;
  });
});

test("a bridge of two threads notices, too", async () => {
  const port = await freePort();
  const config = configFor(`127.0.0.1:${port}`, { ...at(port), workers: 2 });
  await assert.rejects(createBridge({ config }), /leads back to this bridge/);
});

test("a circle of two bridges is noticed by the one that closes it", async (t) => {
  const port = await freePort();
  const other = await bridgeTo(t, `127.0.0.1:${port}`);
  await assert.rejects(
    createBridge({ config: configFor(other.address, at(port)) }),
    /leads back to this bridge/,
  );
});

test("bridge behind bridge is legal", async (t) => {
  const server = await grpcServer(t, { Unary: (call, done) => done(null, call.request) });
  let address = server;
  for (let i = 0; i < 3; i++) address = (await bridgeTo(t, address)).address;
  const { code, messages } = await new GrpcClient(t, address).call("Unary", [Buffer.from("far away")]);
  assert.deepEqual([code, messages.map(String)], [grpc.status.OK, ["far away"]]);
});

test("only the probe at the start carries a header of the bridge's own", async (t) => {
  const upstream = await startEcho();
  t.after(() => upstream.close());
  const { address } = await bridgeTo(t, upstream.address);
  await new GrpcClient(t, address).call("Unary", [Buffer.from("x")]);
  const heads = upstream.peers.flatMap((peer) => peer.log.map(({ headers }) => headers ?? []));
  const calls = heads.filter((head) => head.length > 0).map((head) => new Map(head));
  const probes = calls.filter((head) => head.has("reapi-bridge-probe"));
  assert.deepEqual(
    probes.map((head) => head.get(":path")),
    ["/build.bazel.remote.execution.v2.Capabilities/GetCapabilities"],
  );
  const ordinary = calls.filter((head) => head.get(":path") === "/test.Shapes/Unary");
  assert.equal(ordinary.length, 1);
  const names = ["te", "user-agent", "content-type", "grpc-accept-encoding", "accept-encoding"];
  for (const name of ordinary[0]!.keys()) assert.ok(name.startsWith(":") || names.includes(name), name);
});
