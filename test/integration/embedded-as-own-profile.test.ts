/** What profiles may say of servers though no shipped one does: it is played all the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { Status } from "../../src/wire/status.ts";
import { execute, playing, resultOf, serverLike, storeScript } from "../support/played-server.ts";
import { CallFailed, sha256, type V2Message } from "../support/reapi-client.ts";

const evidence = "a test";
const STORAGE = "ContentAddressableStorage";

test("missing inputs end the call itself, if the response is not where they are told", async (t) => {
  const missingInputs = { as: "missing", inResponse: false, evidence } as const;
  const { client } = await playing(t, serverLike("buildfarm@2.15", { missingInputs }));
  const inputs = { files: [{ name: "in", digest: sha256("never sent") }] };
  const error: unknown = await execute(client, { run: "true", inputs }).catch((caught: unknown) => caught);
  assert.ok(error instanceof CallFailed);
  assert.equal(error.code, Status.FAILED_PRECONDITION);
  assert.match(error.status!.details[0]!.typeUrl, /PreconditionFailure$/);
  // What else goes wrong is told in the response.
  const { status } = await execute(client, { run: "true", command: { workingDirectory: "nowhere" } });
  assert.equal(status?.code, Status.INVALID_ARGUMENT);
  await resultOf(client, { run: "true" });
});

test("telling questions get the answers of the profile, with the text that its expression stands for", async (t) => {
  const signs = [
    { ask: "empty-batch-read", status: "INVALID_ARGUMENT", text: "^no digests \\(none\\)$" },
    { ask: "empty-batch-update", status: "OUT_OF_RANGE" },
    { ask: "empty-tree", status: "NOT_FOUND", text: "no tree" },
    { ask: "unknown-instance", status: "PERMISSION_DENIED", text: "who are you" },
    { ask: "unreadable-resource-name", status: "NOT_FOUND", text: "what name" },
    { ask: "health", status: "UNIMPLEMENTED" },
    { ask: "reflection", status: "UNIMPLEMENTED" },
  ] as const;
  const { client } = await playing(t, serverLike("nativelink@1.6", { recognition: { signs, evidence } }));
  const batch = (method: string) => client.unary(`${STORAGE}/${method}`, {});
  await assert.rejects(batch("BatchReadBlobs"), {
    code: Status.INVALID_ARGUMENT,
    message: "no digests (none)",
  });
  await assert.rejects(batch("BatchUpdateBlobs"), { code: Status.OUT_OF_RANGE });
  await assert.rejects(client.all(`${STORAGE}/GetTree`, { rootDigest: sha256("") }), {
    code: Status.NOT_FOUND,
    message: "no tree",
  });
  await assert.rejects(client.unary(`${STORAGE}/FindMissingBlobs`, { instanceName: "x" }), {
    code: Status.PERMISSION_DENIED,
    message: "who are you",
  });
  await assert.rejects(client.read("nonsense"), { code: Status.NOT_FOUND, message: "what name" });
  const health = client.unaryBytes("/grpc.health.v1.Health/Check", Buffer.alloc(0));
  await assert.rejects(health, { code: Status.UNIMPLEMENTED });
});

test("a path in both typed lists is what is there", async (t) => {
  const outputLists = { both: "accepted", evidence } as const;
  const { client } = await playing(t, serverLike("kajiya", { outputLists }));
  const both = { outputFiles: ["d", "f"], outputDirectories: ["d", "f"] };
  const { outputFiles, outputDirectories } = await resultOf(client, {
    run: "mkdir d; echo > f",
    command: both,
  });
  assert.deepEqual(
    [outputFiles, outputDirectories].map((list) => list.map(({ path }) => path)),
    [["f"], ["d"]],
  );
});

test("outputs start at the input root, and links declared by path are listed by what they lead to", async (t) => {
  const server = serverLike(
    "buildfarm@2.15",
    { outputLinks: { are: "reported", evidence } },
    {
      "output-base": { reads: ["input-root"], evidence },
      "output-symlinks": { writes: ["typed"], evidence },
    },
  );
  const { client } = await playing(t, server);
  const empty = await client.storeMessage("build.bazel.remote.execution.v2.Directory", {});
  const { outputFiles, outputSymlinks, outputFileSymlinks, outputDirectorySymlinks } = await resultOf(
    client,
    {
      run: "pwd > ../out; ln -s dir ../to-dir; ln -s out ../to-file",
      inputs: { directories: [{ name: "dir", digest: empty }] },
      command: { workingDirectory: "dir", outputPaths: ["out", "to-dir", "to-file"] },
    },
  );
  const paths = (entries: readonly { path: string }[]) => entries.map(({ path }) => path);
  assert.deepEqual(paths(outputFiles), ["out"]);
  assert.deepEqual(paths(outputSymlinks), []);
  assert.deepEqual(paths(outputFileSymlinks), ["to-file"]);
  assert.deepEqual(paths(outputDirectorySymlinks), ["to-dir"]);
});

test("links that lead nowhere may be dropped though others are reported", async (t) => {
  const outputLinks = { are: "reported", dangling: "dropped", evidence } as const;
  const { client } = await playing(t, serverLike("buildgrid@2018-10", { outputLinks }));
  const result = await resultOf(client, {
    run: "echo made > file; ln -s file link; ln -s nowhere none",
    command: { outputFiles: ["link", "none"] },
  });
  assert.deepEqual(
    result.outputFileSymlinks.map(({ path }) => path),
    ["link"],
  );
});

test("node properties: a form the server does not read is not seen; names of attributes it returns are", async (t) => {
  const digest = sha256("in");
  const script = {
    run: "ls -l in | cut -c1-10 > out; chmod 751 out",
    inputs: { files: [{ name: "in", digest, nodeProperties: { unixMode: { value: 0o750 } } }] },
    command: { outputPaths: ["out"], outputNodeProperties: ["mtime", "unix_mode"] },
  };
  const nodeAttributes = { applied: ["unix_mode"], returned: ["unix_mode"], evidence };
  const seen = async (features: object) => {
    const { client } = await playing(t, serverLike("nativelink@1.6", { nodeAttributes }, features));
    await client.store("in");
    const [out] = (await resultOf(client, script)).outputFiles;
    const text = await client.read(`blobs/${out!.digest!.hash}/${out!.digest!.sizeBytes}`);
    const { mtime = null, unixMode = null } = out!.nodeProperties ?? {};
    return [text.toString(), mtime, unixMode?.value ?? null];
  };
  assert.deepEqual(await seen({}), ["-rwxr-x---\n", null, 0o751]);
  const none = { "node-properties": { reads: ["none"], writes: ["none"], evidence } };
  assert.deepEqual(await seen(none), ["-rw-r--r--\n", null, null]);
});

test("a server may count what was sent of a blob that it has", async (t) => {
  const committedSize = { counts: "sent", early: "same", evidence } as const;
  const { client } = await playing(t, serverLike("buildfarm@2.15", { committedSize }));
  const blob = Buffer.alloc(1_000, "blob");
  const packed = zstdCompressSync(blob);
  const { hash, sizeBytes } = sha256(blob);
  for (const id of [1, 2]) {
    const name = `uploads/${id}/compressed-blobs/zstd/${hash}/${sizeBytes}`;
    assert.equal(await client.write(name, [packed.subarray(0, 5), packed.subarray(5)]), packed.length);
  }
});

test("results that are not allowed may be taken and dropped", async (t) => {
  const cacheWrites = { announced: "no", refused: "dropped", evidence } as const;
  const { client } = await playing(t, serverLike("buildfarm@2.15", { cacheWrites }));
  const actionDigest = await storeScript(client, { run: "true" });
  const actionResult = { exitCode: 3 };
  const answer = await client.unary<V2Message<"ActionResult">>("ActionCache/UpdateActionResult", {
    actionDigest,
    actionResult,
  });
  assert.equal(answer.exitCode, 3);
  await assert.rejects(client.unary("ActionCache/GetActionResult", { actionDigest }), {
    code: Status.NOT_FOUND,
  });
});
