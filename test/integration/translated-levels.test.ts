import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { planRoutes } from "../../src/proxy/lanes/plan-routes.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import type { Level } from "../../src/spec/versions.ts";
import { SAFE_DIALECT } from "../../src/upstream/dialect.ts";
import { readErrorInfo } from "../../src/wire/error-details.ts";
import { Status } from "../../src/wire/status.ts";
import { bridgeTo } from "../support/bridge.ts";
import { CallFailed, embedded, ReapiClient, sha256, V2, type V2Message } from "../support/reapi-client.ts";
import { client as clientOf, plan, server as serverOf } from "../translators/support.ts";

// A client of one level, a real server of another, and between them a bridge that carries out their plan.

async function between(t: TestContext, from: Level, to: Level) {
  const { address, client: direct } = await embedded(t, to, { clientLevel: from });
  const routes = planRoutes(plan(clientOf({ level: from }), serverOf({ level: to, source: "profile" })), {
    dialect: SAFE_DIALECT,
  });
  const bridge = await bridgeTo(t, address, {}, { routes });
  return { client: new ReapiClient(t, bridge.address, from), direct };
}

type V2Operation = Messages["google.longrunning.Operation"];

interface Outputs {
  readonly outputPaths?: string[];
  readonly outputFiles?: string[];
}

/** Stores an action that makes a file `out` and a link to it. */
async function actionOf(client: ReapiClient, outputs: Outputs) {
  const commandDigest = await client.storeMessage(`${V2}.Command`, {
    arguments: ["/bin/sh", "-c", "echo made > out; ln -s out link"],
    ...outputs,
  });
  const inputRootDigest = await client.storeMessage(`${V2}.Directory`, {});
  return client.storeMessage(`${V2}.Action`, { commandDigest, inputRootDigest });
}

/** Executes that action. */
async function execute(client: ReapiClient, outputs: Outputs) {
  const actionDigest = await actionOf(client, outputs);
  const operations = await client.all<V2Operation>("Execution/Execute", { actionDigest });
  const { response } = operations.at(-1)!;
  return client.codec.decode(`${V2}.ExecuteResponse`, response!.value).result!;
}

const paths = (outputs: readonly { path: string }[]): string[] => outputs.map(({ path }) => path);

function refusedAs(code: number, feature: string, message: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof CallFailed);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    const { feature: named } = readErrorInfo(error.status!.details[0]!.value).metadata;
    assert.equal(named, feature);
    return true;
  };
}

test("an action in a form the server would ignore ends without outputs directly, and with them through the bridge", async (t) => {
  const { client, direct } = await between(t, "2.12", "2.0");
  const alone = { outputPaths: ["link", "out"] };
  const found = await execute(client, alone);
  assert.deepEqual([paths(found.outputFiles), paths(found.outputSymlinks)], [["out"], ["link"]]);
  assert.deepEqual(found.outputDirectories, []);
  const actionDigest = await actionOf(client, alone);
  const again = await client.unary<V2Message<"ActionResult">>("ActionCache/GetActionResult", {
    actionDigest,
  });
  assert.deepEqual([paths(again.outputFiles), paths(again.outputSymlinks)], [["out"], ["link"]]);
  const lost = await execute(direct, alone);
  assert.deepEqual([paths(lost.outputFiles), paths(lost.outputSymlinks)], [[], []]);
});

test("an action that cannot be had in the server's form is refused by name", async (t) => {
  const { client } = await between(t, "2.12", "2.0");
  await assert.rejects(
    execute(client, { outputPaths: ["../out"] }),
    refusedAs(
      Status.INVALID_ARGUMENT,
      "output-paths",
      /^Command\.output_paths with "\.\.\/out", which leads out of the input root \(API 2\.1\) was used, .*2\.0/,
    ),
  );
});

test("an action in all forms at once, as Bazel sends it, runs", async (t) => {
  const { client } = await between(t, "2.12", "2.0");
  const result = await execute(client, { outputPaths: ["out"], outputFiles: ["out"] });
  assert.deepEqual(
    result.outputFiles.map(({ path }) => path),
    ["out"],
  );
});

test("a method the server lacks is refused by name, with the way out", async (t) => {
  const { client } = await between(t, "2.12", "2.0");
  await assert.rejects(
    client.unary("ContentAddressableStorage/SplitBlob", { blobDigest: sha256("a") }),
    refusedAs(Status.UNIMPLEMENTED, "chunking", /turn chunking off in the client/),
  );
});

test("a digest function the server takes for another is refused before anything is stored", async (t) => {
  const { client, direct } = await between(t, "2.12", "2.0");
  const { hash } = sha256("blob");
  const requests = [{ digest: { hash, sizeBytes: 4 }, data: Buffer.from("blob") }];
  await assert.rejects(
    client.unary("ContentAddressableStorage/BatchUpdateBlobs", { requests, digestFunction: 9 }),
    refusedAs(Status.INVALID_ARGUMENT, "digest-functions", /start the client with a digest function/),
  );
  const request = { blobDigests: [{ hash, sizeBytes: 4 }] };
  const path = "ContentAddressableStorage/FindMissingBlobs";
  const { missingBlobDigests } = await direct.unary<V2Message<"FindMissingBlobsResponse">>(path, request);
  assert.equal(missingBlobDigests.length, 1);
});

test("the empty blob need not be sent to a server that wants it", async (t) => {
  const { client, direct } = await between(t, "2.12", "2.0");
  const path = "ContentAddressableStorage/FindMissingBlobs";
  const request = { blobDigests: [sha256(""), sha256("a")] };
  const asked = await direct.unary<V2Message<"FindMissingBlobsResponse">>(path, request);
  assert.equal(asked.missingBlobDigests.length, 2);
  const seen = await client.unary<V2Message<"FindMissingBlobsResponse">>(path, request);
  assert.deepEqual(
    seen.missingBlobDigests.map(({ hash }) => hash),
    [sha256("a").hash],
  );
});

test("an older client of the newest server is served as it always was", async (t) => {
  const { client } = await between(t, "2018-11", "main");
  const result = await execute(client, { outputFiles: ["out"] });
  assert.deepEqual(
    result.outputFiles.map(({ path }) => path),
    ["out"],
  );
  const [blob] = await client.store("stored");
  assert.equal((await client.read(`blobs/${blob!.hash}/${blob!.sizeBytes}`)).toString(), "stored");
});

test("links a server lists in the older way reach a client that reads the newer, executed or cached", async (t) => {
  const { client, direct } = await between(t, "2.12", "2.0");
  const outputs = { outputPaths: ["link"], outputFiles: ["link"] };
  assert.deepEqual(paths((await execute(direct, outputs)).outputSymlinks), []);
  assert.deepEqual(paths((await execute(client, outputs)).outputSymlinks), ["link"]);
  const actionDigest = await actionOf(client, outputs);
  const path = "ActionCache/GetActionResult";
  const cached = (through: ReapiClient) => through.unary<V2Message<"ActionResult">>(path, { actionDigest });
  assert.deepEqual(paths((await cached(direct)).outputSymlinks), []);
  assert.deepEqual(paths((await cached(client)).outputSymlinks), ["link"]);
});
