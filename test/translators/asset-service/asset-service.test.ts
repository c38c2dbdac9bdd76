import assert from "node:assert/strict";
import { test } from "node:test";
import { peerFacts } from "../../../src/peers/profile-facts.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { editRequest } from "../../../src/plan/run-hooks.ts";
import { FETCH_BLOB, FETCH_DIRECTORY, PUSH_BLOB, PUSH_DIRECTORY } from "../../../src/translators/methods.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { Status } from "../../../src/wire/status.ts";
import { call, client, plan, server } from "../support.ts";

const ALL = [FETCH_BLOB, FETCH_DIRECTORY, PUSH_BLOB, PUSH_DIRECTORY];
/** What BuildStream sends at its start to try whether there is a service. */
const WITHOUT_URIS = Buffer.alloc(0);

const profiles = shippedProfiles();
const buildStream = resolveDialect(peerFacts(profiles.resolve("client", "buildstream@2.3")), TRANSLATORS);
const upstream = (name: string) => resolveDialect(peerFacts(profiles.resolve("server", name)), TRANSLATORS);

const refused = ({ methods }: Plan): string[] => ALL.filter((path) => methods.get(path)?.lane === "reject");

test("given a server without the services, when BuildStream tries, then UNIMPLEMENTED tells it so by name", () => {
  const pair = plan(buildStream, upstream("scoot@2022"));
  assert.deepEqual(refused(pair), ALL);
  for (const path of ALL) {
    const error = pair.methods.get(path)!.refusal!();
    assert.equal(error.status, Status.UNIMPLEMENTED);
    assert.match(
      error.message,
      /^The Remote Asset API \(API 2\.2\) was used, .* \[method-unsupported, D54\]$/,
    );
  }
});

test("given a server with all of it, when BuildStream tries, then its request without URIs reaches the server as it is", async () => {
  const pair = plan(buildStream, upstream("bb-remote-asset"));
  assert.deepEqual(refused(pair), []);
  for (const path of [FETCH_BLOB, PUSH_BLOB]) {
    const method = pair.methods.get(path);
    if (method === undefined) continue;
    assert.equal(method.answers.length, 0);
    assert.equal(await editRequest(method, WITHOUT_URIS, call(path)), WITHOUT_URIS);
  }
});

test("given a server with a part of it, then the rest is refused method by method", () => {
  assert.deepEqual(refused(plan(buildStream, upstream("nativelink@1.6.1"))), [
    FETCH_DIRECTORY,
    PUSH_DIRECTORY,
  ]);
  const onlyDirectories = server({
    missingMethods: [FETCH_BLOB],
    forms: { "asset-service": { reads: ["offered"] } },
  });
  const pair = plan(client(), onlyDirectories);
  assert.deepEqual(refused(pair), [FETCH_BLOB]);
  assert.match(
    pair.methods.get(FETCH_BLOB)!.refusal!().message,
    /^The method FetchBlob \(API 2\.2\) was used/,
  );
});

test("given a method that only configuration brings, then the server tells", () => {
  const pair = plan(buildStream, upstream("bazel-remote@2.6"));
  assert.deepEqual(refused(pair), [FETCH_DIRECTORY, PUSH_BLOB, PUSH_DIRECTORY]);
});

test("given an older version number, or nothing at all, then the server tells", () => {
  assert.deepEqual(refused(plan(client(), server({ level: "2.0" }))), []);
  assert.deepEqual(refused(plan(client(), server({ level: null }))), []);
});

test("given an older client and a newer server, then all is relayed", () => {
  const { methods } = plan(client({ level: "2.0" }), server());
  for (const path of ALL) assert.ok(!methods.get(path)?.features.includes("asset-service"));
});
