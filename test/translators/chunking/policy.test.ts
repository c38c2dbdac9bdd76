import assert from "node:assert/strict";
import { test } from "node:test";
import { readAdvertised } from "../../../src/peers/advertised.ts";
import { peerFacts } from "../../../src/peers/profile-facts.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { levelServer, serverFacts, unknownServer } from "../../../src/peers/server-dialect.ts";
import { announce } from "../../../src/plan/run-hooks.ts";
import { SPLICE_BLOB, SPLICE_CHUNKS, SPLIT_BLOB, SPLIT_CHUNKS } from "../../../src/translators/methods.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { hex } from "../../unit/wire/support.ts";
import { client, plan, server, whole } from "../support.ts";

// CacheCapabilities with a batch limit alone.
const NONE = hex("0a 02 20 01");
// The same with both bits (9, 10) and an average of 512 KiB (11).
const BOTH = hex("0a 0c 20 01 48 01 50 01 5a 04 08 80 80 20");

const REQUIRED = { chunking: "require" } as const;
const catalogue = shippedProfiles();

const named = (name: string, capabilities: Buffer | null = null) =>
  resolveDialect(
    serverFacts({
      ...unknownServer("it"),
      configured: name === "" ? null : catalogue.resolve("server", name),
      advertised: capabilities && readAdvertised(capabilities),
    }),
    TRANSLATORS,
  );

const lanes = (pair: ReturnType<typeof plan>) =>
  [SPLIT_BLOB, SPLICE_BLOB].map((path) => pair.methods.get(path)?.lane ?? "relay");

test("given a server that lacks the methods, then they are refused, and served and announced where the operator wants it", () => {
  const without = plan(client(), named("buildfarm@2.17"));
  assert.deepEqual(lanes(without), ["reject", "reject"]);
  assert.equal(announce(without, NONE), NONE);
  const served = plan(client(), named("buildfarm@2.17"), REQUIRED);
  assert.deepEqual(lanes(served), ["local", "local"]);
  assert.deepEqual(announce(served, NONE), BOTH);
  assert.equal(announce(served, BOTH), BOTH);
  for (const path of [SPLIT_CHUNKS, SPLICE_CHUNKS]) assert.equal(served.methods.get(path)?.lane, "local");
});

test("given a client that knows nothing of chunks, then nothing is announced to it", () => {
  const pair = plan(client({ level: "2.11" }), named("buildfarm@2.17"), REQUIRED);
  assert.equal(announce(pair, NONE), NONE);
});

test("given a client that has chunks before the level that has them, then they are served and announced to it", () => {
  const clientOf = (name: string) =>
    resolveDialect(peerFacts(catalogue.resolve("client", name)), TRANSLATORS);
  for (const name of ["bazel@8.7", "bazel@9.1"]) {
    const pair = plan(clientOf(name), named("buildfarm@2.17"), REQUIRED);
    assert.deepEqual(lanes(pair), ["local", "local"], name);
    const told = readAdvertised(announce(pair, NONE));
    assert.deepEqual([told.splits, told.splices], [true, true], name);
  }
  const without = plan(clientOf("bazel@9.0"), named("buildfarm@2.17"), REQUIRED);
  assert.equal(readAdvertised(announce(without, NONE)).splits, false);
});

test("given a server with SpliceBlob alone, then it keeps it, and the bridge serves SplitBlob where it is wanted", () => {
  const before = plan(client(), named("bazel-remote@2.6.1"));
  assert.deepEqual(lanes(before), ["reject", "relay"]);
  // It announces SpliceBlob, with no parameters.
  const native = hex("0a 04 20 01 50 01");
  assert.equal(announce(before, native), native);
  const served = plan(client(), named("bazel-remote@2.6.1"), REQUIRED);
  assert.deepEqual(lanes(served), ["local", "relay"]);
  assert.deepEqual(announce(served, native), BOTH);
  assert.deepEqual(announce(served, NONE), BOTH, "it need not say so itself");
});

test("given a server with both methods, then it serves them whatever the policy", () => {
  for (const policy of [{}, REQUIRED]) {
    const pair = plan(client(), named("nativelink@1.6.1", BOTH), policy);
    assert.deepEqual(lanes(pair), ["relay", "relay"]);
    assert.equal(announce(pair, BOTH), BOTH);
  }
});

test("given a server of which nothing is known but what it announces, then that decides who serves", () => {
  const silent = plan(client(), named("", NONE));
  assert.deepEqual(lanes(silent), ["relay", "relay"], "the upstream answers for itself");
  assert.deepEqual(lanes(plan(client(), named("", NONE), REQUIRED)), ["local", "local"]);
  assert.deepEqual(lanes(plan(client(), named("", BOTH), REQUIRED)), ["relay", "relay"]);
});

test("given parameters of the server where the bridge cuts, then its own take their place, and those of another function go", () => {
  const pair = plan(client(), named("bazel-remote@2.6.1"), REQUIRED);
  // An average of 64 KiB and a seed; RepMaxCdcParams.
  const other = hex("0a 12 20 01 50 01 5a 06 08 80 80 04 10 07 62 04 08 01 10 02");
  assert.deepEqual(announce(pair, other), BOTH);
});

test("given a level before 2.12, then a profile or the operator saying so is enough to refuse", () => {
  const old = plan(client(), resolveDialect(levelServer("2.11"), TRANSLATORS));
  assert.deepEqual(lanes(old), ["reject", "reject"]);
  const { message } = old.methods.get(SPLIT_BLOB)!.refusal!();
  assert.match(message, /`chunking: require`/);
});

test("given drafts of the client, then a blob that is named, or chunks of an older server, are none of the bridge's business", () => {
  const { methods } = plan(client({ forms: { chunking: { writes: ["chunks", "unnamed"] } } }), server());
  assert.equal(methods.get(SPLIT_BLOB), undefined);
  const { opens } = methods.get(SPLICE_BLOB)!;
  assert.equal(opens!(whole(hex("12 04 0a 02 61 62"))), false);
  assert.equal(opens!(whole(hex("1a 04 0a 02 61 62"))), true);
});
