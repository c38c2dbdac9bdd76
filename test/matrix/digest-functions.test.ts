import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Blob, blobOf } from "../../src/client/blob.ts";
import { Connection } from "../../src/client/connection.ts";
import { type Manner, mannerOf } from "../../src/client/manner.ts";
import { RemoteClient } from "../../src/client/remote-client.ts";
import { type Sample, type Shape, sampleOf } from "../../src/client/samples.ts";
import { DEFAULT_WORKER } from "../../src/embedded/behaviour/vocabulary.ts";
import { DIGEST_FUNCTIONS } from "../../src/wire/digest-function.ts";
import { Status } from "../../src/wire/status.ts";
import { playClient } from "../peers/client/play-client.ts";
import { failure, ReapiClient } from "../support/reapi-client.ts";
import { ofBuild, text } from "./support/outcome.ts";
import { type OwnProfile, ownPeers } from "./support/own-peers.ts";
import { startRig } from "./support/rig.ts";

// Builds with each digest function, where actions are rewritten and where they are relayed.

const evidence = "a test";

/** Buck2 as an operator has it who has set it to one digest function. */
function buck2(...are: string[]): OwnProfile {
  return {
    role: "client",
    peer: `buck2-${are[0]!.toLowerCase()}`,
    title: `Buck2 with ${are[0]}`,
    extends: "buck2",
    ranges: [{ facts: { digestFunctions: { are, evidence } } }],
  };
}

/** A client of the newest level that names its function. */
function named(name: string, platform = "command"): OwnProfile {
  return {
    role: "client",
    peer: `named-${name.toLowerCase()}`,
    title: `A client of ${name}`,
    ranges: [
      {
        facts: { level: { is: "main", evidence }, digestFunctions: { are: [name], evidence } },
        features: { "action-platform": { writes: [platform], evidence } },
      },
    ],
  };
}

interface Choices {
  readonly manner?: Partial<Manner>;
  /** Whether the store is on disk, so that a test can see what is in it. */
  readonly kept?: boolean;
}

async function between(t: TestContext, profile: OwnProfile, server: string, choices: Choices = {}) {
  const { catalogue, files, dir } = await ownPeers(t, [profile]);
  const as = catalogue.resolve("client", profile.peer);
  const rig = await startRig({
    server: catalogue.resolve("server", server),
    clients: [as],
    profiles: files,
    replicas: 2,
    ...(choices.kept && { dir: join(dir, "store") }),
  });
  t.after(() => rig.stop());
  const { manner = {} } = choices;
  const play = (address: string) => {
    const played = playClient({ address, as, manner });
    t.after(() => played.close());
    return played;
  };
  /** Blobs in the store but the empty ones. */
  const stored = async () => {
    const files = await readdir(join(dir, "store", "cas"), { recursive: true });
    return files.flatMap((name) => {
      const [, hash, size] = /([0-9a-f]{40,})-(\d+)$/.exec(name) ?? [];
      return hash === undefined || size === "0" ? [] : [{ hash, sizeBytes: Number(size) }];
    });
  };
  const { controls, direct } = rig;
  return {
    controls,
    stored,
    through: rig.bridged(as),
    direct: play(direct),
    bridged: play(rig.bridged(as)),
    another: () => play(rig.bridged(as, 1)),
  };
}

function sample(shape: Shape, skipCacheLookup = false): Sample {
  const made = sampleOf(shape, { platform: DEFAULT_WORKER });
  return { ...made, spec: { ...made.spec, skipCacheLookup } };
}

type Played = Awaited<ReturnType<typeof between>>["bridged"];

const outcome = async (played: Played, what: Sample) => text(ofBuild(await played.buildSample(what)));

/** Runs a shape and finds its result in the cache. */
async function runsAndHits(played: Played, shape: Shape): Promise<void> {
  for (const cached of [false, true]) {
    const built = await played.buildSample(sample(shape));
    assert.equal(text(ofBuild(built)), "ok", shape);
    assert.equal(built.report?.cached, cached, shape);
  }
}

const LATER = ["BLAKE3", "SHA256TREE", "GITSHA1"] as const;
const SHAPES: readonly Shape[] = ["file", "directory", "stdout"];

/** How a client does that names its function. */
function naming(name: string): Partial<Manner> {
  const digestFunction = DIGEST_FUNCTIONS.find((fn) => fn.name === name)!;
  return { digestFunction, namesFunction: true, functionSegment: !digestFunction.implicit };
}

for (const name of [...LATER, "SHA256", "SHA512"]) {
  test(`a client of ${name} that has the platform in the Command, before Buildbarn of 2026: actions are rewritten`, async (t) => {
    const { bridged, direct } = await between(t, named(name), "buildbarn@2026-03-26", {
      manner: naming(name),
    });
    assert.match(await outcome(direct, sample("file")), /No workers exist/);
    for (const shape of SHAPES) await runsAndHits(bridged, shape);
  });
}

for (const name of LATER) {
  test(`a client of ${name} before Buildbarn of 2026 with nothing to rewrite: calls are relayed`, async (t) => {
    const manner = { ...naming(name), platform: "both" } as const;
    const { bridged } = await between(t, named(name, "action"), "buildbarn@2026-03-26", { manner });
    for (const shape of SHAPES) await runsAndHits(bridged, shape);
  });

  test(`a client of ${name}: builds end well whatever blob the server loses`, async (t) => {
    const choices = { manner: naming(name), kept: true };
    const { bridged, another, controls, stored } = await between(
      t,
      named(name),
      "buildbarn@2026-03-26",
      choices,
    );
    assert.equal(await outcome(bridged, sample("directory")), "ok");
    const blobs = await stored();
    assert.ok(blobs.length > 4);
    for (const blob of blobs) {
      const lost = `without ${blob.hash}/${blob.sizeBytes}`;
      assert.equal(await controls.evict(blob), true, lost);
      assert.equal(await outcome(bridged, sample("directory")), "ok", lost);
      await controls.evict(blob);
      assert.equal(await outcome(bridged, sample("directory", true)), "ok", `${lost}, run anew`);
      await controls.evict(blob);
      assert.equal(await outcome(another(), sample("directory")), "ok", `${lost}, at another bridge`);
    }
  });
}

test("Buck2 set to BLAKE3, which it does not name, before a server that has SHA256 as well", async (t) => {
  const { bridged, direct } = await between(t, buck2("BLAKE3", "SHA1"), "buildbarn@2026-03-26");
  assert.notEqual(await outcome(direct, sample("file")), "ok");
  for (const shape of SHAPES) await runsAndHits(bridged, shape);
});

test("Buck2 set to BLAKE3 before a server without it is told what there is, whatever it calls", async (t) => {
  const { through } = await between(t, buck2("BLAKE3", "SHA1"), "buildbarn@2024-06-01");
  const { digest } = blobOf(
    "something",
    DIGEST_FUNCTIONS.find(({ name }) => name === "BLAKE3"),
  );
  const client = new ReapiClient(t, through);
  for (const call of [
    () => client.unary("ContentAddressableStorage/FindMissingBlobs", { blobDigests: [digest] }),
    () => client.unary("ActionCache/GetActionResult", { actionDigest: digest }),
    () => client.all("Execution/Execute", { actionDigest: digest }),
    () => client.read(`blobs/${digest.hash}/${digest.sizeBytes}`),
  ]) {
    const { code, message, errorInfo } = await failure(call());
    assert.equal(code, Status.INVALID_ARGUMENT);
    assert.match(message, /BLAKE3.*has MD5, SHA1, SHA256, SHA256TREE, SHA384, SHA512/);
    const { feature } = errorInfo!.metadata;
    assert.equal(feature, "digest-functions");
  }
});

test("Buck2 set to BLAKE3 is told of missing blobs in the form that it knows, before there is an operation and after", async (t) => {
  const { through } = await between(t, buck2("BLAKE3"), "buildbarn@2026-03-26");
  const connection = new Connection(through, { level: "2.4" });
  t.after(() => connection.close());
  const blake3 = { ...naming("BLAKE3"), namesFunction: false, functionSegment: false };
  const client = new RemoteClient(connection, { ...mannerOf("2.4"), ...blake3, platform: "command" });
  const { spec, inputs } = sample("input-attributes");
  const { encoded, blobs } = client.prepare(spec, client.inputs(inputs));
  const [input] = blobs;
  const lacking = async (missing: Blob) => {
    const refused = await failure(client.execution.execute(encoded.action.digest));
    const { hash, sizeBytes } = missing.digest;
    assert.equal(refused.code, Status.FAILED_PRECONDITION);
    const subjects = refused.violations.map(({ subject }) => subject);
    assert.deepEqual(subjects, [`blobs/${hash}/${sizeBytes}`]);
  };
  await lacking(encoded.action);
  await client.store.upload([encoded.action]);
  await lacking(encoded.command);
  await client.store.upload(blobs.filter((blob) => blob !== input));
  await lacking(input!);
  await client.store.upload([input!]);
  assert.ok(await client.execution.execute(encoded.action.digest));
});

test("a client of BLAKE3 that reads root directories, before a server that makes Trees: they are made of them", async (t) => {
  const manner = { ...naming("BLAKE3"), directoryFormat: "directory" } as const;
  const { bridged } = await between(t, named("BLAKE3"), "buildbuddy@2025-11", { manner });
  await runsAndHits(bridged, "directory");
});
