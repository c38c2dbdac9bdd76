import assert from "node:assert/strict";
import { test } from "node:test";
import type { Authority } from "../../src/config/types.ts";
import { bridgeTo } from "../support/bridge.ts";
import { GrpcClient, grpcServer } from "../support/grpc.ts";

// Servers behind balancers choose by :authority, so it is the upstream's own unless somebody wants it otherwise.

const cases: [name: string, authority: Authority, expected: (upstream: string) => string][] = [
  ["upstream: its own address", "upstream", (upstream) => upstream],
  ["client: what the client sent", "client", () => "what.the.client:sent"],
  ["a fixed name", { fixed: "farm.example.com" }, () => "farm.example.com"],
];

for (const [name, authority, expected] of cases) {
  test(name, async (t) => {
    const upstream = await grpcServer(t, { Unary: (call, done) => done(null, Buffer.from(call.getHost())) });
    const { address } = await bridgeTo(t, upstream, { upstream: { authority } });
    const client = new GrpcClient(t, address, undefined, {
      "grpc.default_authority": "what.the.client:sent",
    });
    const { messages } = await client.call("Unary", [Buffer.alloc(0)]);
    assert.deepEqual(messages.map(String), [expected(upstream)]);
  });
}
