import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Api } from "../../src/client/api.ts";
import { packAny, unpackAny } from "../../src/spec/any.ts";
import { codec, type Draft } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { GET_CAPABILITIES } from "../../src/translators/methods.ts";
import type { Violation } from "../../src/wire/error-details.ts";
import { Status } from "../../src/wire/status.ts";
import { bridgeTo } from "../support/bridge.ts";
import { type CapabilitiesDraft, capabilities } from "../support/capabilities.ts";
import { failure, ReapiClient, sha256, V2, type V2Message } from "../support/reapi-client.ts";
import { type Answers, Refusal, recordingServer } from "../support/recording-server.ts";

// What a proxy between clients and servers of this API must not break, each rule in the real bridge.

const HEADER = "build.bazel.remote.execution.v2.requestmetadata-bin";
const NOTHING = Buffer.alloc(0);
const ACTION = { hash: "a".repeat(64), sizeBytes: 1 };

interface Sides {
  /** Names of profiles; the bridge has to tell where there is none. */
  readonly server?: string;
  readonly client?: string;
}

async function between(t: TestContext, answers: Answers, { server, client }: Sides = {}) {
  const upstream = await recordingServer(t, {
    "Capabilities/GetCapabilities": () => capabilities(12),
    ...answers,
  });
  const bridge = await bridgeTo(t, upstream.address, {
    ...(server !== undefined && { upstream: { profile: server } }),
    clientProfile: client ?? null,
  });
  return { upstream, client: new ReapiClient(t, bridge.address) };
}

function result(message: Draft<Api<"ActionResult">>): Buffer {
  return codec().encode(`${V2}.ActionResult`, message);
}

async function told(t: TestContext, announced: CapabilitiesDraft, sides: Sides = {}) {
  const message = capabilities(12, announced);
  const { client } = await between(t, { "Capabilities/GetCapabilities": () => message }, sides);
  return codec().decode(`${V2}.ServerCapabilities`, await client.unaryBytes(GET_CAPABILITIES, NOTHING));
}

test("rule 1: exactly one RequestMetadata goes on, as it came, also with the bridge's own calls", async (t) => {
  const { upstream, client } = await between(t, {});
  const metadata = codec().encode(`${V2}.RequestMetadata`, {
    toolDetails: { toolName: "bazel", toolVersion: "8.0.0" },
    actionId: "of an action",
  });
  await client.unaryBytes(`/${V2}.ContentAddressableStorage/FindMissingBlobs`, NOTHING, {
    [HEADER]: metadata,
  });
  assert.ok(upstream.calls.length > 3, "the bridge asked things itself");
  for (const call of upstream.calls) {
    assert.deepEqual(call.metadata.get(HEADER), [metadata], call.method);
  }
});

test("rule 2: requests of assets without URIs are answered as the server does", async (t) => {
  const invalid = () => {
    throw new Refusal(Status.INVALID_ARGUMENT, "no URIs");
  };
  const answers = { "Fetch/FetchBlob": invalid, "Push/PushBlob": invalid };
  for (const client of ["buildstream@2.5", undefined]) {
    const sides = client === undefined ? {} : { client };
    const there = (await between(t, answers, sides)).client;
    for (const path of ["Fetch/FetchBlob", "Push/PushBlob"]) {
      const error = await failure(there.unary(`/build.bazel.remote.asset.v1.${path}`, {}));
      assert.deepEqual([error.code, error.message], [Status.INVALID_ARGUMENT, "no URIs"]);
    }
  }
  const none = await between(t, {}, { server: "buildgrid@2019-12", client: "buildstream@2.5" });
  const error = await failure(none.client.unary("/build.bazel.remote.asset.v1.Push/PushBlob", {}));
  const { feature } = error.errorInfo!.metadata;
  assert.deepEqual([error.code, feature], [Status.UNIMPLEMENTED, "asset-service"]);
});

test("rule 3: a result that is not there is NOT_FOUND, whoever asks and whatever is translated", async (t) => {
  const missing = {
    "ActionCache/GetActionResult": () => {
      throw new Refusal(Status.NOT_FOUND, "never seen");
    },
  };
  const clients = ["buildstream@2.5", "reclient", "bazel@5.4", "bazel@9.3", undefined];
  for (const client of clients) {
    for (const server of ["buildbarn@2026-03-26", "buildfarm@1.17", undefined]) {
      const sides = { ...(client && { client }), ...(server && { server }) };
      const { client: caller } = await between(t, missing, sides);
      const error = await failure(caller.unary("ActionCache/GetActionResult", { actionDigest: ACTION }));
      assert.deepEqual([error.code, error.message], [Status.NOT_FOUND, "never seen"], `${client} ${server}`);
    }
  }
});

test("rule 4: results get no files that the server did not list", async (t) => {
  const message = result({
    outputDirectories: [{ path: "out", treeDigest: { hash: ACTION.hash, sizeBytes: 1n } }],
    outputSymlinks: [{ path: "link", target: "out" }],
  });
  for (const client of ["buildstream@2.5", "reclient"]) {
    const answers = { "ActionCache/GetActionResult": () => message };
    const { client: caller } = await between(t, answers, { client, server: "buildbarn@2026-03-26" });
    const path = "ActionCache/GetActionResult";
    const seen = await caller.unary<V2Message<"ActionResult">>(path, { actionDigest: ACTION });
    assert.deepEqual(seen.outputFiles, []);
    assert.deepEqual(
      seen.outputDirectories.map((directory) => directory.path),
      ["out"],
    );
  }
});

test("rule 5: lists that the bridge fills are sorted, and name nothing twice", async (t) => {
  const links = ["c", "a", "b"].map((path) => ({ path, target: "x" }));
  const message = result({ outputSymlinks: links, outputFileSymlinks: [{ path: "b", target: "x" }] });
  const answers = { "ActionCache/GetActionResult": () => message };
  const sides = { client: "reclient", server: "buildbarn@2026-03-26" };
  const { client } = await between(t, answers, sides);
  const path = "ActionCache/GetActionResult";
  const { outputFileSymlinks } = await client.unary<V2Message<"ActionResult">>(path, {
    actionDigest: ACTION,
  });
  assert.deepEqual(
    outputFileSymlinks.map((link) => link.path),
    ["a", "b", "c"],
  );
});

/** Answers reads of these blobs, and no others. */
function reads(...blobs: readonly Buffer[]): Answers {
  const known = new Map(blobs.map((data) => [sha256(data).hash, data]));
  return {
    "ContentAddressableStorage/BatchReadBlobs": ({ request }) => {
      const { digests } = codec().decode(`${V2}.BatchReadBlobsRequest`, request);
      return codec().encode(`${V2}.BatchReadBlobsResponse`, {
        responses: digests.map((digest) => ({ digest, data: known.get(digest.hash) ?? NOTHING })),
      });
    },
  };
}

test("rule 6: what is missing is named in three parts, as Pants reads it", async (t) => {
  const named = (blob: Buffer) => ({ hash: sha256(blob).hash, sizeBytes: BigInt(blob.length) });
  const command = codec().encode(`${V2}.Command`, { arguments: ["/bin/true"] });
  const action = codec().encode(`${V2}.Action`, {
    commandDigest: named(command),
    inputRootDigest: named(NOTHING),
  });
  const subject = `blobs/${ACTION.hash}/1`;
  const violations: Violation[] = [{ type: "MISSING", subject, description: "" }];
  const response = packAny(codec(), `${V2}.ExecuteResponse`, {
    status: {
      code: Status.FAILED_PRECONDITION,
      message: "blobs are missing",
      details: [packAny(codec(), "google.rpc.PreconditionFailure", { violations })],
    },
  });
  const operation = codec().encode("google.longrunning.Operation", { name: "op", done: true, response });
  const answers = { "Execution/Execute": () => operation, ...reads(action, command, NOTHING) };
  const { client } = await between(t, answers, { client: "pants@2.33", server: "buildfarm@2.16" });
  type Operation = Messages["google.longrunning.Operation"];
  const operations = await client.all<Operation>("Execution/Execute", { actionDigest: sha256(action) });
  const { status } = unpackAny(client.codec, `${V2}.ExecuteResponse`, operations.at(-1)!.response)!;
  const [failed] = status!.details.map((detail) =>
    unpackAny(client.codec, "google.rpc.PreconditionFailure", detail),
  );
  assert.deepEqual(
    failed!.violations.map((each) => [each.type, each.subject]),
    [["MISSING", subject]],
  );
});

test("rule 7: compressors keep their order", async (t) => {
  for (const order of [
    [2, 1],
    [1, 2],
    [3, 1, 2],
  ]) {
    const cacheCapabilities = { digestFunctions: [1], supportedCompressors: order };
    const { cacheCapabilities: seen } = await told(t, { cacheCapabilities }, { client: "siso" });
    const kept = seen!.supportedCompressors.filter((number) => number !== 0);
    assert.deepEqual(
      kept,
      order.filter((number) => kept.includes(number)),
    );
    console.log(order, kept);
    assert.ok(kept.includes(1));
  }
});

test("rule 8: the limit of batches is a number, and one that the server takes", async (t) => {
  for (const client of ["reclient", "bazel@8.0", "moon", undefined]) {
    const cacheCapabilities = { digestFunctions: [1] };
    const { cacheCapabilities: seen } = await told(t, { cacheCapabilities }, client ? { client } : {});
    const limit = Number(seen!.maxBatchTotalSizeBytes);
    assert.ok(limit > 0 && limit <= 4 * 1024 * 1024, `${client}: ${limit}`);
  }
});

test("rule 9: no major version above 2 is told", async (t) => {
  const versions = [
    { lowApiVersion: { major: 2 }, highApiVersion: { major: 99, minor: 9 } },
    { lowApiVersion: { major: 3 }, highApiVersion: { major: 3, minor: 1 } },
  ];
  for (const client of ["siso", "reclient", "bazel@9.3", undefined]) {
    for (const announced of versions) {
      const { lowApiVersion, highApiVersion } = await told(t, announced, client ? { client } : {});
      assert.deepEqual([lowApiVersion?.major, highApiVersion?.major], [2, 2], `${client}`);
    }
  }
});

test("rule 10: names of operations go through and come back", async (t) => {
  const name = "projects/p/operations/a/b c/1";
  const operation = codec().encode("google.longrunning.Operation", { name, done: true });
  const answers = { "Execution/Execute": () => operation, "Execution/WaitExecution": () => operation };
  const { upstream, client } = await between(t, answers);
  type Operation = Messages["google.longrunning.Operation"];
  const { hash, sizeBytes } = sha256("an action");
  const [begun] = await client.all<Operation>("Execution/Execute", { actionDigest: { hash, sizeBytes } });
  const [waited] = await client.all<Operation>("Execution/WaitExecution", { name: begun!.name });
  assert.equal(waited!.name, begun!.name);
  const [asked] = upstream.of("Execution/WaitExecution");
  assert.equal(codec().decode(`${V2}.WaitExecutionRequest`, asked!.request).name, name);
});
