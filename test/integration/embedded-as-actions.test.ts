/** How servers that are played differ in what they make of actions: expectations by hand, from the sources of the servers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResolvedServer } from "../../src/peers/profile.ts";
import type { Draft } from "../../src/spec/codec.ts";
import { Status } from "../../src/wire/status.ts";
import {
  execute,
  playing,
  resultOf,
  type Script,
  serverLike,
  storeScript,
} from "../support/played-server.ts";
import { failure, ReapiClient, sha256, V2, type V2Message } from "../support/reapi-client.ts";

const evidence = "a test";
const HERE = { properties: [{ name: "OSFamily", value: process.platform }] };

/** The paths of files and directories that come. */
async function made(client: ReapiClient, script: Script) {
  const { outputFiles, outputDirectories } = await resultOf(client, script);
  return [outputFiles, outputDirectories].map((list) => list.map(({ path }) => path));
}

async function codeOf(client: ReapiClient, script: Script): Promise<number> {
  return (await execute(client, script)).status?.code ?? 0;
}

test("declared output directories are made by Buildfarm, and by Buildbarn before 2026-03-26; paths are not", async (t) => {
  const run = "echo a > out/a";
  const inList = { run, command: { platform: HERE, outputDirectories: ["out"] } };
  const inPaths = { run, command: { platform: HERE, outputPaths: ["out"] }, action: { platform: HERE } };
  for (const server of ["buildfarm@1.17", "buildfarm@2.15", "buildbarn@2022"]) {
    const { client } = await playing(t, server);
    assert.deepEqual(await made(client, inList), [[], ["out"]], server);
  }
  for (const server of ["buildfarm@2.15", "buildbarn@2022", "buildbarn@2026-03-26"]) {
    const { client } = await playing(t, server);
    assert.notEqual((await execute(client, inPaths)).result?.exitCode, 0, server);
  }
});

test("what leads to outputs is made since 2.0, and by BuildGrid before; another server of 2018 leaves it to the command", async (t) => {
  const script = { run: "echo a > a/b/out", command: { outputFiles: ["a/b/out"] } };
  const { client: buildgrid } = await playing(t, "buildgrid@2018-10");
  assert.deepEqual(await made(buildgrid, script), [["a/b/out"], []]);
  const left = serverLike("buildgrid@2018-10", {}, { "output-parents": { reads: ["left"], evidence } });
  const { client } = await playing(t, left);
  assert.notEqual((await execute(client, script)).result?.exitCode, 0);
});

test("Buildfarm takes no output within an output directory, where the older lists say so", async (t) => {
  const run = "mkdir -p out/deep; echo a > out/deep/a";
  const nested: Draft<V2Message<"Command">>[] = [
    { outputFiles: ["out/deep/a"], outputDirectories: ["out"] },
    { outputDirectories: ["out", "out/deep"] },
    { outputFiles: ["a"], outputDirectories: [""] },
  ];
  const { client: old } = await playing(t, "buildfarm@1.17");
  for (const command of nested) {
    const { status } = await execute(old, { run, command });
    assert.equal(status?.code, Status.FAILED_PRECONDITION);
    assert.match(status!.message, /lies within the output directory/);
    assert.match(Buffer.from(status!.details[0]!.value).toString("latin1"), /INVALID/);
  }
  assert.equal(await codeOf(old, { run, command: { outputDirectories: ["out", "out2"] } }), 0);
  const { client } = await playing(t, "buildfarm@2.15");
  assert.deepEqual(await made(client, { run, command: { outputPaths: ["out", "out/deep"] } }), [
    [],
    ["out", "out/deep"],
  ]);
  const { client: other } = await playing(t, "buildgrid@2019");
  assert.equal(await codeOf(other, { run, command: nested[1]! }), 0);
});

test("outputs of another type: refused, with a status of the server's own, left out, or reported as what they are", async (t) => {
  const script: Script = {
    run: "mkdir file; rm -rf dir; echo a > dir",
    command: { platform: HERE, outputFiles: ["file"], outputDirectories: ["dir"] },
  };
  const codes: Record<string, number> = {};
  for (const server of ["buildfarm@1.17", "buildbarn@2022"]) {
    const { client } = await playing(t, server);
    codes[server] = await codeOf(client, script);
  }
  assert.deepEqual(codes, {
    "buildfarm@1.17": Status.FAILED_PRECONDITION,
    "buildbarn@2022": Status.INVALID_ARGUMENT,
  });
  const { client: buildgrid } = await playing(t, "buildgrid@2019");
  assert.deepEqual(await made(buildgrid, script), [[], []]);
  const { client: buildfarm } = await playing(t, "buildfarm@2.15");
  assert.deepEqual(await made(buildfarm, script), [["dir"], ["file"]]);
});

test("BuildGrid looks at outputs through links", async (t) => {
  const { client } = await playing(t, "buildgrid@2019");
  const script = { run: "echo a > file; ln -s file link; ln -s nowhere none" };
  const command = { outputFiles: ["link", "none"] };
  assert.deepEqual(await made(client, { ...script, command }), [["link"], []]);
});

/** A server that takes nothing it does not know. */
function strict(name: string): ResolvedServer {
  return serverLike(name, {}, { "strict-canonical": { reads: ["strict"], evidence } });
}

test("a strict server refuses Actions, Commands and Directories with fields it does not know, at any depth", async (t) => {
  const run = "echo made > out";
  const ownFiles = { outputFiles: ["out"] };
  const digest = sha256("in");
  const node = { name: "in", digest, nodeProperties: { unixMode: { value: 0o644 } } };
  const sub = async (client: ReapiClient) => ({
    directories: [
      { name: "sub", digest: await client.storeMessage(`${V2}.Directory`, { symlinks: [], files: [node] }) },
    ],
  });
  const { client } = await playing(t, strict("buildgrid@2019"));
  await client.store("in");
  assert.deepEqual(await made(client, { run, command: ownFiles }), [["out"], []]);
  const refused: [Script, RegExp][] = [
    [{ run, command: { outputPaths: ["out"] } }, /Command is not canonical: .* no field 7 /],
    [{ run, command: ownFiles, action: { salt: Buffer.from("x") } }, /Action is not canonical: .* field 9 /],
    [{ run, command: ownFiles, action: { platform: HERE } }, /Action is not canonical: .* field 10 /],
    [{ run, inputs: { files: [node] } }, /Directory is not canonical: .* field files\.6 /],
    [{ run, inputs: await sub(client) }, /Directory is not canonical: .* field files\.6 /],
  ];
  for (const [script, text] of refused) {
    const { status } = await execute(client, script);
    assert.equal(status?.code, Status.INVALID_ARGUMENT, String(text));
    assert.match(status!.message, text);
  }
  const [commandDigest] = await client.store(Buffer.from([0x0a, 0x01]));
  const { status } = await execute(client, { run, action: { commandDigest } });
  assert.equal(status?.code, Status.INVALID_ARGUMENT);
});

test("fields that a server has beyond its level are known to it when it is strict", async (t) => {
  const { client } = await playing(t, strict("buildfarm@2.15"));
  assert.deepEqual(await made(client, { run: "echo a > out", command: { outputPaths: ["out"] } }), [
    ["out"],
    [],
  ]);
  assert.equal(await codeOf(client, { run: "true", action: { platform: HERE } }), Status.INVALID_ARGUMENT);
});

test("a known server takes links with odd targets, whatever its level says, unless its profile says otherwise", async (t) => {
  const script = { run: "true", inputs: { symlinks: [{ name: "link", target: "a//b" }] } };
  const codes = [];
  for (const [server, form] of [
    ["buildgrid@2019", null],
    ["buildgrid@2019", "strict"],
    ["nativelink@1.6", null],
    ["nativelink@1.6", "strict"],
  ] as const) {
    const claims = form === null ? {} : { "input-symlinks": { reads: [form], evidence } };
    const { client } = await playing(t, serverLike(server, {}, claims));
    codes.push(await codeOf(client, script));
  }
  assert.deepEqual(codes, [0, Status.INVALID_ARGUMENT, 0, Status.INVALID_ARGUMENT]);
});

test("programs of a known server are looked for where most servers do, unless its profile says otherwise", async (t) => {
  const content = Buffer.from("#!/bin/sh\nexit 4\n");
  const exits: (number | undefined)[] = [];
  for (const form of [null, "input-root"] as const) {
    const claims = form === null ? {} : { argv0: { reads: [form], evidence } };
    const { client } = await playing(t, serverLike("buildgrid@2019", {}, claims));
    const [digest] = await client.store(content);
    const files = [{ name: "tool", digest: digest!, isExecutable: true }];
    const work = await client.storeMessage(`${V2}.Directory`, { files });
    const { result } = await execute(client, {
      run: "",
      command: { arguments: ["./tool"], workingDirectory: "work" },
      inputs: { directories: [{ name: "work", digest: work }] },
    });
    exits.push(result?.exitCode);
  }
  assert.deepEqual(exits, [4, undefined]);
});

test("a server may merge runs that are not to be cached though its level forbids it", async (t) => {
  const runs = async (form: "merged" | "apart") => {
    const server = serverLike("nativelink@1.6", {}, { "uncached-actions": { reads: [form], evidence } });
    const { client } = await playing(t, server);
    const script = { run: "echo $$; sleep 0.2", action: { doNotCache: true } };
    const both = await Promise.all([execute(client, script), execute(client, script)]);
    return new Set(both.map(({ result }) => result?.stdoutDigest?.hash)).size;
  };
  assert.equal(await runs("merged"), 1);
  assert.equal(await runs("apart"), 2);
});

test("an empty result: bazel-remote names a worker in it, others keep it, and one may call it broken", async (t) => {
  const stored = async (server: string | ResolvedServer) => {
    const { client } = await playing(t, server);
    const actionDigest = await storeScript(client, { run: "true" });
    const request = { actionDigest, actionResult: {} };
    const answer = await client.unary<V2Message<"ActionResult">>("ActionCache/UpdateActionResult", request);
    const kept = await client.unary<V2Message<"ActionResult">>("ActionCache/GetActionResult", {
      actionDigest,
    });
    assert.equal(answer.executionMetadata?.worker, kept.executionMetadata?.worker);
    return kept.executionMetadata?.worker ?? null;
  };
  assert.equal(await stored("bazel-remote@2.6"), "unknown");
  assert.equal(await stored("buildfarm@2.15"), null);
  const cacheWrites = { announced: "yes", empty: "refused", evidence } as const;
  const refusing = stored(serverLike("buildfarm@2.15", { cacheWrites }));
  assert.equal((await failure(refusing)).code, Status.INTERNAL);
});

test("NativeLink's GetTree loses what it does not know of Directories, and with it their digests", async (t) => {
  const legacyNodeProperties = [{ name: "UnixMode", value: "0640" }];
  const isWhole = async (server: string) => {
    const client = new ReapiClient(t, (await playing(t, server)).address, "2.0");
    const rootDigest = await client.storeMessage(`${V2}.Directory`, {
      files: [{ name: "in", digest: sha256("in"), legacyNodeProperties }],
    });
    const path = "ContentAddressableStorage/GetTree";
    const [page] = await client.all<V2Message<"GetTreeResponse">>(path, { rootDigest });
    const bytes = client.codec.encode(`${V2}.Directory`, page!.directories[0]!);
    return sha256(bytes).hash === rootDigest.hash;
  };
  assert.equal(await isWhole("buildfarm@2.15"), true);
  assert.equal(await isWhole("nativelink@1.6"), false);
});
