import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { type TestContext, test } from "node:test";
import type { Api } from "../../src/client/api.ts";
import { compressorNamed } from "../../src/compression/compressors.ts";
import { decodeBytes } from "../../src/compression/decode.ts";
import { encodeBytes } from "../../src/compression/encode.ts";
import { DEFAULT_WORKER } from "../../src/embedded/behaviour/vocabulary.ts";
import type { ResolvedServer } from "../../src/peers/profile.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { unpackAny } from "../../src/spec/any.ts";
import { codec } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { GET_CAPABILITIES } from "../../src/translators/methods.ts";
import { playClient } from "../peers/client/play-client.ts";
import { CallFailed, ReapiClient, V2, type V2Message } from "../support/reapi-client.ts";
import { ofBuild, text } from "./support/outcome.ts";
import { type Rig, startRig } from "./support/rig.ts";

// What a client is told of each known server, through the bridge, and a call for each bit of it. By default of the newest line of each server,
// with MATRIX=full of all.

const catalogue = shippedProfiles();
const CLIENTS = ["bazel@9.3", "bazel@6.2", "reclient"].map((name) => catalogue.resolve("client", name));
/** Digest functions that can be computed here, by number. */
const HASHES: Readonly<Record<number, string>> = {
  1: "sha256",
  2: "sha1",
  3: "md5",
  5: "sha384",
  6: "sha512",
};
const NAMES = ["IDENTITY", "ZSTD", "DEFLATE", "BROTLI"] as const;

function servers(): ResolvedServer[] {
  const peers = new Set(catalogue.names("server").map((name) => catalogue.resolve("server", name).peer));
  const { MATRIX } = process.env;
  const newest = MATRIX === "full" ? 0 : -1;
  return [...peers].flatMap((peer) => catalogue.ranges("server", peer).slice(newest));
}

interface Told {
  readonly caller: ReapiClient;
  readonly instanceName: string;
  readonly cache: NonNullable<Api<"ServerCapabilities">["cacheCapabilities"]> | null;
  readonly executes: boolean;
  readonly nodeProperties: readonly string[];
}

/** Blobs of each function that is announced go up and come back. */
async function digestFunctions({ caller, instanceName, cache }: Told): Promise<void> {
  for (const number of cache!.digestFunctions) {
    const algorithm = HASHES[number];
    if (algorithm === undefined) continue;
    const data = Buffer.from(`a blob of ${algorithm} ${randomUUID()}`);
    const digest = { hash: createHash(algorithm).update(data).digest("hex"), sizeBytes: data.length };
    await streamed({ caller, instanceName }, "blobs", digest, data);
    const request = { instanceName, blobDigests: [digest], digestFunction: number };
    const path = "ContentAddressableStorage/FindMissingBlobs";
    const { missingBlobDigests } = await caller.unary<V2Message<"FindMissingBlobsResponse">>(path, request);
    assert.deepEqual(missingBlobDigests, [], algorithm);
  }
}

type Where = Pick<Told, "caller" | "instanceName">;

/** Uploads as a stream, and reads it again. */
async function streamed(
  { caller, instanceName }: Where,
  kind: string,
  { hash, sizeBytes }: { hash: string; sizeBytes: number },
  sent: Buffer,
): Promise<Buffer> {
  const prefix = instanceName === "" ? "" : `${instanceName}/`;
  const name = `${kind}/${hash}/${sizeBytes}`;
  await caller.write(`${prefix}uploads/${randomUUID()}/${name}`, [sent]);
  return caller.read(`${prefix}${name}`);
}

/** Blobs that travel compressed come back, too. */
async function compressors({ caller, instanceName, cache }: Told): Promise<void> {
  for (const number of cache!.supportedCompressors) {
    const name = NAMES[number];
    assert.ok(name !== undefined, `compressor ${number}`);
    if (name === "IDENTITY") continue;
    const compressor = compressorNamed(name);
    const data = Buffer.from(`to be made smaller ${randomUUID()} `.repeat(50));
    const digest = { hash: createHash("sha256").update(data).digest("hex"), sizeBytes: data.length };
    const kind = `compressed-blobs/${compressor.segment}`;
    const read = await streamed({ caller, instanceName }, kind, digest, await encodeBytes(compressor, data));
    assert.deepEqual(await decodeBytes(compressor, read, data.length), data, name);
  }
}

/** A batch of the size that is announced is taken. */
async function batchLimit({ caller, instanceName, cache }: Told): Promise<void> {
  const limit = Number(cache!.maxBatchTotalSizeBytes);
  assert.ok(limit > 0, "the limit is a number");
  const data = Buffer.alloc(Math.min(limit, 4 << 20) - 512, randomUUID());
  const digest = { hash: createHash("sha256").update(data).digest("hex"), sizeBytes: data.length };
  const path = "ContentAddressableStorage/BatchUpdateBlobs";
  const { responses } = await caller
    .unary<V2Message<"BatchUpdateBlobsResponse">>(path, { instanceName, requests: [{ digest, data }] })
    .catch((error: unknown) => {
      // A server of streams only says so.
      if (error instanceof CallFailed && error.code === 12) return { responses: [] };
      throw error;
    });
  for (const { status } of responses) assert.equal(status?.code ?? 0, 0, status?.message ?? "");
}

/** Results that may be written can be read. */
async function updates({ caller, instanceName, cache }: Told): Promise<void> {
  if (cache!.actionCacheUpdateCapabilities?.updateEnabled !== true) return;
  const data = Buffer.from(randomUUID());
  const digest = { hash: createHash("sha256").update(data).digest("hex"), sizeBytes: data.length };
  const command = codec().encode(`${V2}.Command`, { arguments: ["/bin/true"] });
  const stored = async (blob: Buffer) => {
    const own = { hash: createHash("sha256").update(blob).digest("hex"), sizeBytes: blob.length };
    await streamed({ caller, instanceName }, "blobs", own, blob);
    return { ...own, sizeBytes: BigInt(own.sizeBytes) };
  };
  await stored(data);
  const action = codec().encode(`${V2}.Action`, {
    commandDigest: await stored(command),
    inputRootDigest: await stored(Buffer.alloc(0)),
    doNotCache: false,
    salt: data,
  });
  const actionDigest = await stored(action);
  const actionResult = { outputFiles: [{ path: "out", digest }] };
  await caller.unary("ActionCache/UpdateActionResult", { instanceName, actionDigest, actionResult });
  const path = "ActionCache/GetActionResult";
  const { outputFiles } = await caller.unary<V2Message<"ActionResult">>(path, { instanceName, actionDigest });
  assert.deepEqual(
    outputFiles.map((file) => file.path),
    ["out"],
  );
}

/** Blobs are split and put together where that is announced. */
async function chunking({ caller, instanceName, cache }: Told): Promise<void> {
  const data = Buffer.from(`in one piece ${randomUUID()}`);
  const blobDigest = { hash: createHash("sha256").update(data).digest("hex"), sizeBytes: data.length };
  await streamed({ caller, instanceName }, "blobs", blobDigest, data);
  if (cache!.splitBlobSupport) {
    const path = "ContentAddressableStorage/SplitBlob";
    const request = { instanceName, blobDigest };
    const { chunkDigests } = await caller.unary<V2Message<"SplitBlobResponse">>(path, request);
    assert.ok(chunkDigests.length > 0);
  }
  if (cache!.spliceBlobSupport) {
    const path = "ContentAddressableStorage/SpliceBlob";
    await caller.unary(path, { instanceName, blobDigest, chunkDigests: [blobDigest] });
  }
}

const ALLOWED = 2;

/** Actions with absolute links among their inputs, and those that ask for properties of outputs, run where that is announced. */
async function actions({ caller, instanceName, cache, nodeProperties }: Told): Promise<void> {
  const properties = Object.entries(DEFAULT_WORKER).map(([name, value]) => ({ name, value }));
  const links = cache?.symlinkAbsolutePathStrategy === ALLOWED ? [{ name: "link", target: "/bin" }] : [];
  const stored = async (blob: Buffer) => {
    const digest = { hash: createHash("sha256").update(blob).digest("hex"), sizeBytes: blob.length };
    await streamed({ caller, instanceName }, "blobs", digest, blob);
    return { ...digest, sizeBytes: BigInt(blob.length) };
  };
  const platform = { properties };
  const command = codec().encode(`${V2}.Command`, {
    arguments: ["/bin/sh", "-c", "exit 0"],
    platform,
    outputNodeProperties: [...nodeProperties],
  });
  const action = codec().encode(`${V2}.Action`, {
    commandDigest: await stored(command),
    inputRootDigest: await stored(codec().encode(`${V2}.Directory`, { symlinks: links })),
    platform,
    salt: Buffer.from(randomUUID()),
  });
  type Operation = Messages["google.longrunning.Operation"];
  const request = { instanceName, actionDigest: await stored(action) };
  const operations = await caller.all<Operation>("Execution/Execute", request);
  const last = operations.at(-1);
  // Some are asked about again, which is refused by name where it cannot be.
  if (last?.done !== true) return;
  const response = unpackAny(caller.codec, `${V2}.ExecuteResponse`, last.response);
  assert.equal(response?.status?.code ?? 0, 0, response?.status?.message ?? "");
  assert.equal(response?.result?.exitCode, 0);
}

const CLAIMS = { digestFunctions, compressors, batchLimit, updates, chunking };

async function told(t: TestContext, address: string, instanceName: string): Promise<Told | null> {
  const caller = new ReapiClient(t, address);
  const request = codec().encode(`${V2}.GetCapabilitiesRequest`, { instanceName });
  const answer = await caller.unaryBytes(GET_CAPABILITIES, request).catch((error: unknown) => {
    if (error instanceof CallFailed && error.errorInfo !== null) return null;
    throw error;
  });
  if (answer === null) return null;
  const said = codec().decode(`${V2}.ServerCapabilities`, answer);
  const { cacheCapabilities: cache, executionCapabilities: execution } = said;
  return {
    caller,
    instanceName,
    cache,
    executes: execution?.execEnabled === true,
    nodeProperties: execution?.supportedNodeProperties ?? [],
  };
}

/** Claims that were put to the test. */
let tried = 0;

async function lies(t: TestContext, rig: Rig): Promise<string[]> {
  const { server } = rig;
  const instance = server.facts.instanceNames?.pattern === undefined ? "" : "projects/p/instances/i";
  const found: string[] = [];
  for (const client of CLIENTS) {
    const address = rig.bridged(client);
    const announced = await told(t, address, instance);
    if (announced === null) continue;
    const attempt = async (claim: string, work: () => Promise<void>): Promise<void> => {
      tried++;
      await work().catch((error: unknown) => {
        found.push(`${client.name} is told of ${server.name}, ${claim}: ${(error as Error).message}`);
      });
    };
    if (announced.cache !== null) {
      for (const [claim, check] of Object.entries(CLAIMS)) await attempt(claim, () => check(announced));
    }
    if (!announced.executes) continue;
    await attempt("actions", () => actions(announced));
    await attempt("execution", async () => {
      const played = playClient({ address, as: client, instance });
      t.after(() => played.close());
      const { verdict } = await played.negotiate();
      if (verdict === "refuses") return;
      const salt = `${client.name} ${process.pid}`;
      const outcome = ofBuild(await played.build("stdout", { platform: DEFAULT_WORKER, salt }));
      // What this client writes may be refused by name all the same.
      assert.ok(outcome.kind === "ok" || outcome.kind === "refused", text(outcome));
    });
  }
  return found;
}

test("what clients are told of every known server holds", async (t) => {
  const found: string[] = [];
  for (const server of servers()) {
    const instance = server.facts.instanceNames?.pattern === undefined ? "" : "projects/p/instances/i";
    const rig = await startRig({ server, clients: CLIENTS, instance });
    try {
      found.push(...(await lies(t, rig)));
    } finally {
      await rig.stop();
    }
  }
  t.diagnostic(`${tried} claims about ${servers().length} servers`);
  assert.deepEqual(found, []);
  assert.ok(tried > 100);
});
