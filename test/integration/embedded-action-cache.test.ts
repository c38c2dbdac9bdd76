import assert from "node:assert/strict";
import { test } from "node:test";
import { LEVELS } from "../../src/spec/versions.ts";
import { readPreconditionFailure } from "../../src/wire/error-details.ts";
import { Status } from "../../src/wire/status.ts";
import {
  type BlobName,
  CallFailed,
  embedded,
  type ReapiClient,
  sha256,
  V2,
  type V2Message,
} from "../support/reapi-client.ts";

const GET = "ActionCache/GetActionResult";
const UPDATE = "ActionCache/UpdateActionResult";

type Result = V2Message<"ActionResult">;

/** Stores an action and its command; returns the digest of the action. */
async function storeAction(client: ReapiClient): Promise<BlobName> {
  const commandDigest = await client.storeMessage(`${V2}.Command`, { arguments: ["true"] });
  const inputRootDigest = await client.storeMessage(`${V2}.Directory`, {});
  return client.storeMessage(`${V2}.Action`, { commandDigest, inputRootDigest });
}

for (const level of LEVELS) {
  test(`${level}: a result is found again, by its instance and digest alone`, async (t) => {
    const { client } = await embedded(t, level);
    const actionDigest = await storeAction(client);
    const [digest] = await client.store("output");
    const actionResult = { outputFiles: [{ path: "out", digest }], exitCode: 3 };
    const request = { instanceName: "one", actionDigest };
    await assert.rejects(client.unary(GET, request), { code: Status.NOT_FOUND });
    await client.unary(UPDATE, { ...request, actionResult });
    const found = await client.unary<Result>(GET, request);
    assert.deepEqual([found.outputFiles[0]?.path, found.exitCode], ["out", 3]);
    await assert.rejects(client.unary(GET, { ...request, instanceName: "two" }), { code: Status.NOT_FOUND });
    await client.unary(UPDATE, { ...request, actionResult: { exitCode: 4 } });
    assert.equal((await client.unary<Result>(GET, request)).exitCode, 4);
  });
}

test("a result keeps fields the level does not know", async (t) => {
  const { client } = await embedded(t, "2.0", { clientLevel: "2.1" });
  const actionDigest = await storeAction(client);
  const actionResult = { outputSymlinks: [{ path: "link", target: "target" }] };
  await client.unary(UPDATE, { actionDigest, actionResult });
  const found = await client.unary<Result>(GET, { actionDigest });
  assert.equal(found.outputSymlinks[0]?.target, "target");
});

test("since 2.0 a result needs its Action and Command, and the error lists what to upload", async (t) => {
  const { client } = await embedded(t, "2.0");
  const command = sha256(client.codec.encode(`${V2}.Command`, { arguments: ["x"] }));
  const actionDigest = await client.storeMessage(`${V2}.Action`, { commandDigest: command });
  const nowhere = sha256("no action");
  for (const [action, missing] of [
    [actionDigest, command],
    [nowhere, nowhere],
  ] as const) {
    const update = client.unary(UPDATE, { actionDigest: action, actionResult: { exitCode: 1 } });
    const error: unknown = await update.catch((caught: unknown) => caught);
    assert.ok(error instanceof CallFailed);
    assert.equal(error.code, Status.FAILED_PRECONDITION);
    assert.deepEqual(
      readPreconditionFailure(error.status!.details[0]!.value).map(({ type, subject }) => [type, subject]),
      [["MISSING", `blobs/${missing.hash}/${missing.sizeBytes}`]],
    );
  }
  const older = (await embedded(t, "2018-11")).client;
  await older.unary(UPDATE, { actionDigest: nowhere, actionResult: { exitCode: 1 } });
});

test("since 2.0 a hit means that all the result refers to is stored", async (t) => {
  const { client } = await embedded(t, "main");
  const actionDigest = await storeAction(client);
  const gone = sha256("gone");
  const [there] = await client.store("there");
  const holey = await client.storeMessage(`${V2}.Tree`, { root: { files: [{ name: "f", digest: gone }] } });
  const whole = await client.storeMessage(`${V2}.Tree`, {
    root: {},
    children: [{ files: [{ name: "f", digest: there! }] }],
  });
  const holeyRoot = await client.storeMessage(`${V2}.Directory`, {
    directories: [{ name: "d", digest: gone }],
  });
  const results = [
    [{ outputFiles: [{ path: "a", digest: gone }] }, false],
    [{ stdoutDigest: gone }, false],
    [{ stderrDigest: gone }, false],
    [{ outputDirectories: [{ path: "d", treeDigest: gone }] }, false],
    [{ outputDirectories: [{ path: "d", treeDigest: holey }] }, false],
    [{ outputDirectories: [{ path: "d", treeDigest: there }] }, false],
    [{ outputDirectories: [{ path: "d", treeDigest: whole, rootDirectoryDigest: holeyRoot }] }, false],
    [{ outputDirectories: [{ path: "d", treeDigest: whole }], stdoutDigest: there }, true],
  ] as const;
  for (const [actionResult, hit] of results) {
    await client.unary(UPDATE, { actionDigest, actionResult });
    const found = client.unary<Result>(GET, { actionDigest });
    if (hit) await found;
    else await assert.rejects(found, { code: Status.NOT_FOUND }, JSON.stringify(actionResult));
  }
});

test("2018-11 brings a result whatever has become of its blobs", async (t) => {
  const { client } = await embedded(t, "2018-11");
  const actionDigest = sha256("an action");
  await client.unary(UPDATE, { actionDigest, actionResult: { stdoutDigest: sha256("gone") } });
  assert.equal((await client.unary<Result>(GET, { actionDigest })).stdoutDigest?.hash, sha256("gone").hash);
});

test("contents are inlined where the request wants them, and the level knows the wish", async (t) => {
  for (const [level, known] of [
    ["2018-11", false],
    ["2.0", true],
  ] as const) {
    const { client } = await embedded(t, level, { clientLevel: "main" });
    const actionDigest = await storeAction(client);
    const [out, err, file] = await client.store("to stdout", "to stderr", "into the file");
    await client.unary(UPDATE, {
      actionDigest,
      actionResult: {
        stdoutDigest: out,
        stderrDigest: err,
        outputFiles: [
          { path: "one", digest: file },
          { path: "two", digest: file },
        ],
      },
    });
    const wishes = { inlineStdout: true, inlineOutputFiles: ["two", "three"] };
    const result = await client.unary<Result>(GET, { actionDigest, ...wishes });
    const contents = [result.stdoutRaw, result.stderrRaw, ...result.outputFiles.map((each) => each.contents)];
    assert.deepEqual(
      contents.map((bytes) => Buffer.from(bytes).toString()),
      known ? ["to stdout", "", "", "into the file"] : ["", "", "", ""],
    );
    assert.equal(result.stdoutDigest?.hash, out!.hash);
  }
});

test("results that are none are refused", async (t) => {
  const { client } = await embedded(t);
  const actionDigest = await storeAction(client);
  const bad = { hash: "../../secret", sizeBytes: 1 };
  for (const actionResult of [
    undefined,
    { stdoutDigest: bad },
    { outputFiles: [{ path: "x" }] },
    { outputDirectories: [{}] },
  ]) {
    await assert.rejects(client.unary(UPDATE, { actionDigest, actionResult }), {
      code: Status.INVALID_ARGUMENT,
    });
  }
  await assert.rejects(client.unary(GET, {}), {
    code: Status.INVALID_ARGUMENT,
    message: /action_digest is missing/,
  });
});
