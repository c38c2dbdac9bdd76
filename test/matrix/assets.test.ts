import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { blobOf } from "../../src/client/blob.ts";
import type { Policy } from "../../src/plan/plan.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import type { Level } from "../../src/spec/versions.ts";
import { DIGEST_FUNCTIONS } from "../../src/wire/digest-function.ts";
import { Status } from "../../src/wire/status.ts";
import { bridgeTo } from "../support/bridge.ts";
import { playing } from "../support/played-server.ts";
import { type BlobName, failure, ReapiClient } from "../support/reapi-client.ts";
import { type OwnProfile, ownPeers } from "./support/own-peers.ts";

// Assets between clients and servers of different revisions: what comes of it without a bridge, and with one.

const ASSET = "build.bazel.remote.asset.v1";
const FETCH = `/${ASSET}.Fetch/FetchBlob`;
const FETCH_DIRECTORY = `/${ASSET}.Fetch/FetchDirectory`;
const PUSH = `/${ASSET}.Push/PushBlob`;
const uris = ["https://example.com/a.tar.gz"];
const CONTENT = Buffer.from("an archive, or so\n".repeat(50_000));

type Fetched = Messages[`${typeof ASSET}.FetchBlobResponse`];

const evidence = "a test";
const functionNamed = (name: string) => DIGEST_FUNCTIONS.find((fn) => fn.name === name)!;
const [SHA256, BLAKE3] = [functionNamed("SHA256"), functionNamed("BLAKE3")];

/** A server of a level that has assets. */
function assetServer(level: Level, qualifiers: "ignored" | "refused" = "ignored"): OwnProfile {
  const facts = {
    level: { is: level, evidence },
    missingMethods: { are: ["LogStreamService/*"], evidence },
    digestFunctions: { are: ["SHA256", "BLAKE3", "SHA1"], several: true, evidence },
    assets: { qualifiers, evidence },
  };
  return { role: "server", peer: "asset-server", title: "A server of assets", ranges: [{ facts }] };
}

function assetClient(level: Level, ...are: string[]): OwnProfile {
  const facts = { level: { is: level, evidence }, digestFunctions: { are, evidence } };
  return { role: "client", peer: "asset-client", title: "A client of assets", ranges: [{ facts }] };
}

async function between(t: TestContext, client: OwnProfile, server: OwnProfile, policy: Policy = {}) {
  const { catalogue, files } = await ownPeers(t, [client, server]);
  const { address } = await playing(t, catalogue.resolve("server", server.peer));
  const bridge = await bridgeTo(t, address, {
    upstream: { profile: server.peer },
    clientProfile: client.peer,
    profiles: files,
    policy: policy as Record<string, string>,
  });
  const level = catalogue.resolve("client", client.peer).facts.level!.is;
  const old = new ReapiClient(t, address, catalogue.resolve("server", server.peer).facts.level!.is);
  return {
    direct: new ReapiClient(t, address, level),
    through: new ReapiClient(t, bridge.address, level),
    old,
  };
}

const blob = (fn = SHA256) => blobOf(CONTENT, fn).digest;

async function pushed(client: ReapiClient, fields: object = {}): Promise<void> {
  const [blobDigest] = await client.store(CONTENT);
  await client.unary(PUSH, { uris, blobDigest: blobDigest as BlobName, ...fields });
}

test("a file is wanted with BLAKE3 and the server fetches with SHA-256: it is stored under the one that was asked for", async (t) => {
  const { direct, through, old } = await between(t, assetClient("2.12", "BLAKE3"), assetServer("2.8"));
  await pushed(old);
  const request = { uris, digestFunction: BLAKE3.number };
  const alone = await direct.unary<Fetched>(FETCH, request);
  assert.deepEqual([alone.blobDigest?.hash, alone.digestFunction], [blob().hash, 0]);
  for (let round = 0; round < 2; round++) {
    const reply = await through.unary<Fetched>(FETCH, request);
    assert.deepEqual([reply.blobDigest?.hash, reply.digestFunction], [blob(BLAKE3).hash, BLAKE3.number]);
    assert.deepEqual([reply.uri, reply.status?.code], [uris[0], Status.OK]);
  }
  const { hash, sizeBytes } = blob(BLAKE3);
  assert.deepEqual(await direct.read(`blobs/blake3/${hash}/${sizeBytes}`), CONTENT);
});

test("the reply of an older server says its function", async (t) => {
  const { direct, through, old } = await between(t, assetClient("2.12", "SHA256"), assetServer("2.8"));
  await pushed(old);
  for (const digestFunction of [0, SHA256.number]) {
    assert.equal((await direct.unary<Fetched>(FETCH, { uris, digestFunction })).digestFunction, 0);
    const reply = await through.unary<Fetched>(FETCH, { uris, digestFunction });
    assert.deepEqual([reply.blobDigest?.hash, reply.digestFunction], [blob().hash, SHA256.number]);
  }
  const missing = await through.unary<Fetched>(FETCH, { uris: ["https://example.com/other"] });
  assert.deepEqual([missing.status?.code, missing.digestFunction], [Status.NOT_FOUND, 0]);
});

test("what cannot be had under the function that was asked for is INVALID_ARGUMENT within the reply", async (t) => {
  const { through, old } = await between(t, assetClient("2.12", "BLAKE3"), assetServer("2.8"));
  await pushed(old);
  await old.unary(`/${ASSET}.Push/PushDirectory`, { uris, rootDirectoryDigest: blob() });
  for (const [path, name, text] of [
    [
      FETCH_DIRECTORY,
      "BLAKE3",
      /A directory to be fetched with BLAKE3 .*SHA-256, each of which names others/,
    ],
    [FETCH, "SHA512", /A file to be fetched with SHA512 .*has SHA256, BLAKE3, SHA1/],
  ] as const) {
    const request = { uris, digestFunction: functionNamed(name).number };
    const { status, ...reply } = await through.unary<Fetched>(path, request);
    assert.equal(status?.code, Status.INVALID_ARGUMENT);
    assert.match(status.message, text);
    assert.equal(status.details.length, 2);
    assert.deepEqual([reply.blobDigest ?? null, reply.uri], [null, uris[0]]);
  }
  const pushing = through.unary(PUSH, { uris, blobDigest: blob(BLAKE3), digestFunction: BLAKE3.number });
  assert.match((await failure(pushing)).message, /A digest of BLAKE3 to be pushed/);
});

test("an older client that uses BLAKE3 fetches from and pushes to a newer server under that", async (t) => {
  const {
    direct,
    through,
    old: newest,
  } = await between(t, assetClient("2.4", "BLAKE3"), assetServer("2.12"));
  const { digest, bytes } = blobOf(CONTENT, BLAKE3);
  await newest.unary("ContentAddressableStorage/BatchUpdateBlobs", {
    requests: [{ digest, data: bytes }],
    digestFunction: BLAKE3.number,
  });
  const fetched = async (client: ReapiClient) =>
    (await client.unary<Fetched>(FETCH, { uris })).blobDigest?.hash;
  // Without a bridge it is taken for a digest of SHA-256.
  await direct.unary(PUSH, { uris, blobDigest: digest });
  assert.equal(await fetched(direct), digest.hash);
  const asked = await newest.unary<Fetched>(FETCH, { uris, digestFunction: BLAKE3.number });
  assert.equal(asked.status?.code, Status.NOT_FOUND);
  await through.unary(PUSH, { uris, blobDigest: digest });
  assert.equal(await fetched(through), digest.hash);
  const found = await newest.unary<Fetched>(FETCH, { uris, digestFunction: BLAKE3.number });
  assert.deepEqual([found.blobDigest?.hash, found.digestFunction], [digest.hash, BLAKE3.number]);
});

test("of several checksums an older server gets the strongest, and a newer one all", async (t) => {
  const sum = (name: string) => `${name}-${Buffer.from(name).toString("base64")}`;
  const several = `${sum("sha256")} ${sum("sha512")}\t${sum("sha384")}`;
  const qualifiers = (value: string) => [{ name: "checksum.sri", value }];
  const fetched = async (client: ReapiClient, value: string) =>
    (await client.unary<Fetched>(FETCH, { uris, qualifiers: qualifiers(value) })).status?.code;
  const older = await between(t, assetClient("2.12", "SHA256"), assetServer("2.8"));
  await pushed(older.old, { qualifiers: qualifiers(sum("sha512")) });
  assert.equal(await fetched(older.direct, several), Status.NOT_FOUND);
  assert.equal(await fetched(older.through, several), Status.OK);
  assert.equal(await fetched(older.through, sum("sha256")), Status.NOT_FOUND);
  const newer = await between(t, assetClient("2.12", "SHA256"), assetServer("2.12"));
  await pushed(newer.old, { qualifiers: qualifiers(sum("sha384")) });
  assert.equal(await fetched(newer.direct, several), Status.OK);
  assert.equal(await fetched(newer.through, several), Status.OK);
});

test("a fetch that is refused over a qualifier is tried without it, if the policy wants that and a checksum remains", async (t) => {
  const checksum = { name: "checksum.sri", value: "sha256-abc" };
  const other = { name: "bazel.canonical_id", value: "x" };
  const client = assetClient("2.12", "SHA256");
  const strict = assetServer("2.12", "refused");
  const plain = await between(t, client, strict);
  const { direct, through, old } = await between(t, client, strict, { "asset-qualifiers": "require" });
  await pushed(old, { qualifiers: [checksum] });
  const asked = (of: ReapiClient, ...qualifiers: object[]) => of.unary<Fetched>(FETCH, { uris, qualifiers });
  const refused = await failure(asked(direct, checksum, other));
  assert.deepEqual(
    [refused.code, refused.message],
    [Status.INVALID_ARGUMENT, 'this server does not know the qualifier "bazel.canonical_id"'],
  );
  assert.equal((await failure(asked(plain.through, checksum, other))).message, refused.message);
  assert.equal((await asked(through, checksum, other)).blobDigest?.hash, blob().hash);
  // Without a checksum anything might come.
  assert.equal((await failure(asked(through, other))).message, refused.message);
});
