import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import dns from "node:dns/promises";
import { syncBuiltinESMExports } from "node:module";
import { type TestContext, test } from "node:test";
import type * as grpc from "@grpc/grpc-js";
import { bridgeTo } from "../support/bridge.ts";
import { freePort } from "../support/free-port.ts";
import { GrpcClient, grpcServer } from "../support/grpc.ts";

// A name with several addresses, as that of a service in a cluster: each connection resolves it anew.

/** Makes the name service of this process answer what `answers` holds at the time, and counts the questions. */
function nameService(t: TestContext, answers: string[]): { asked: number } {
  const state = { asked: 0 };
  t.mock.method(dns, "lookup", async (host: string): Promise<LookupAddress[]> => {
    assert.equal(host, "farm.test");
    state.asked++;
    if (answers.length === 0) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
    return answers.map((address) => ({ address, family: 4 }));
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return state;
}

/** Servers on several addresses and one port; each answers with its address. */
async function farm(t: TestContext, ...addresses: string[]): Promise<number> {
  const port = await freePort();
  for (const address of addresses) {
    const handlers = {
      Unary: (_: unknown, done: grpc.sendUnaryData<Buffer>) => done(null, Buffer.from(address)),
    };
    await grpcServer(t, handlers, { address: `${address}:${port}` });
  }
  return port;
}

/** Asks through `bridge` on a client connection of its own, and so on an upstream connection of its own. */
async function whoAnswers(t: TestContext, bridge: string): Promise<string> {
  const { code, messages, details } = await new GrpcClient(t, bridge).call("Unary", [Buffer.alloc(0)]);
  return code === 0 ? String(messages[0]) : details;
}

const bridgeToName = async (t: TestContext, port: number) => (await bridgeTo(t, `farm.test:${port}`)).address;

test("connections take turns over the addresses", async (t) => {
  const addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
  nameService(t, addresses);
  const bridge = await bridgeToName(t, await farm(t, ...addresses));
  const answers = new Set<string>();
  for (let i = 0; i < 3; i++) answers.add(await whoAnswers(t, bridge));
  assert.deepEqual([...answers].sort(), addresses);
});

test("an address where nobody listens is passed over", async (t) => {
  nameService(t, ["127.0.0.1", "127.0.0.9"]);
  const bridge = await bridgeToName(t, await farm(t, "127.0.0.9"));
  for (let i = 0; i < 3; i++) assert.equal(await whoAnswers(t, bridge), "127.0.0.9");
});

test("a name that moves is followed by the next connection", async (t) => {
  const answers = ["127.0.0.1"];
  const service = nameService(t, answers);
  const bridge = await bridgeToName(t, await farm(t, "127.0.0.1", "127.0.0.2"));
  assert.equal(await whoAnswers(t, bridge), "127.0.0.1");
  answers[0] = "127.0.0.2";
  const before = service.asked;
  assert.equal(await whoAnswers(t, bridge), "127.0.0.2");
  assert.equal(service.asked, before + 1);
});

test("a name that does not resolve: the error names it", async (t) => {
  nameService(t, []);
  const bridge = await bridgeToName(t, 8980);
  assert.equal(
    await whoAnswers(t, bridge),
    "cannot reach the upstream farm.test:8980: the name farm.test does not resolve (ENOTFOUND)",
  );
});
