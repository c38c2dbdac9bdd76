/** What servers that are played read of actions, and how they tell results: expectations by hand, from what is known of the servers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { unpackAny } from "../../src/spec/any.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { Status } from "../../src/wire/status.ts";
import { execute, playing, responseOf, resultOf, storeScript } from "../support/played-server.ts";
import { CallFailed, type ReapiClient, sha256, V2, type V2Message } from "../support/reapi-client.ts";

type Operation = Messages["google.longrunning.Operation"];
type Result = V2Message<"ActionResult">;

/** The platform of the worker, where Buildbarn looks for it. */
const HERE = { properties: [{ name: "OSFamily", value: process.platform }] };
const ON_BUILDBARN = { action: { platform: HERE } };

const paths = (entries: readonly { readonly path: string }[]) => entries.map(({ path }) => path);

function lists(result: Result) {
  return {
    files: paths(result.outputFiles),
    unified: paths(result.outputSymlinks),
    fileLinks: paths(result.outputFileSymlinks),
    directoryLinks: paths(result.outputDirectorySymlinks),
  };
}

test("Buildbarn 2026-03-26 knows output_paths only: with the old lists it succeeds, and has nothing", async (t) => {
  const { client } = await playing(t, "buildbarn@2026-03-26");
  const lost = await resultOf(client, {
    run: "echo made > out",
    command: { outputFiles: ["out"] },
    ...ON_BUILDBARN,
  });
  assert.deepEqual(paths(lost.outputFiles), []);
  const found = await resultOf(client, {
    run: "echo made > out",
    command: { outputPaths: ["out"], outputFiles: ["other"] },
    ...ON_BUILDBARN,
  });
  assert.deepEqual(paths(found.outputFiles), ["out"]);
});

test("Buildfarm 1.17 and BuildGrid 2018 know the old lists only: output_paths are nothing to them", async (t) => {
  for (const name of ["buildfarm@1.17", "buildgrid@2018-10"]) {
    const { client } = await playing(t, name);
    const run = "mkdir dir; echo a > dir/a; echo made > out";
    const command = { outputPaths: ["dir", "out"] };
    assert.deepEqual(paths((await resultOf(client, { run, command })).outputFiles), [], name);
    const both = { ...command, outputFiles: ["out"], outputDirectories: ["dir"] };
    const result = await resultOf(client, { run, command: both });
    assert.deepEqual([paths(result.outputFiles), paths(result.outputDirectories)], [["out"], ["dir"]], name);
  }
});

test("Buildfarm 2.15 announces 2.0 and reads output_paths all the same, before the lists", async (t) => {
  const { client } = await playing(t, "buildfarm@2.15");
  const command = { outputPaths: ["out"], outputFiles: ["other"] };
  const result = await resultOf(client, { run: "echo 1 > out; echo 2 > other", command });
  assert.deepEqual(paths(result.outputFiles), ["out"]);
});

const LINKS = {
  // A server may have made the directory that was declared.
  run: "echo made > file; mkdir dir; ln -s file to-file; rm -rf to-dir; ln -s dir to-dir; ln -s nowhere to-none",
};
const BY_PATH = { outputPaths: ["to-dir", "to-file", "to-none"] };
const BY_LIST = { outputFiles: ["to-file", "to-none"], outputDirectories: ["to-dir"] };

test("Buildbarn 2020 returns what several lists name several times", async (t) => {
  const command = { platform: HERE, outputFiles: ["f"], outputPaths: ["f"] };
  for (const [name, expected] of [
    ["buildbarn@2020-12", ["f", "f"]],
    ["buildbarn@2022", ["f"]],
  ] as const) {
    const { client } = await playing(t, name);
    assert.deepEqual(
      paths((await resultOf(client, { run: "echo > f", command })).outputFiles),
      expected,
      name,
    );
  }
});

test("links among outputs: Buildbarn 2026-03-26 fills output_symlinks alone", async (t) => {
  const { client } = await playing(t, "buildbarn@2026-03-26");
  assert.deepEqual(lists(await resultOf(client, { ...LINKS, command: BY_PATH, ...ON_BUILDBARN })), {
    files: [],
    unified: ["to-dir", "to-file", "to-none"],
    fileLinks: [],
    directoryLinks: [],
  });
});

test("links among outputs: Buildbarn 2022, announcing 2.0, fills the list that belongs to the declaration", async (t) => {
  const { client } = await playing(t, "buildbarn@2022");
  const platform = { command: { platform: HERE } };
  // It makes what is declared as a directory, so that a link in its place takes some doing.
  const run = `rmdir to-dir; ${LINKS.run}`;
  const typed = await resultOf(client, { run, command: { ...platform.command, ...BY_LIST } });
  assert.deepEqual(lists(typed), {
    files: [],
    unified: [],
    fileLinks: ["to-file", "to-none"],
    directoryLinks: ["to-dir"],
  });
  const unified = await resultOf(client, { ...LINKS, command: { ...platform.command, ...BY_PATH } });
  assert.deepEqual(lists(unified).unified, ["to-dir", "to-file", "to-none"]);
  assert.deepEqual(lists(unified).fileLinks, []);
});

test("links among outputs: NativeLink and BuildBuddy fill both kinds of lists", async (t) => {
  for (const name of ["nativelink@1.6", "buildbuddy@2022"]) {
    const { client } = await playing(t, name);
    assert.deepEqual(
      lists(await resultOf(client, { ...LINKS, command: BY_PATH })),
      {
        files: [],
        unified: ["to-dir", "to-file", "to-none"],
        fileLinks: ["to-file", "to-none"],
        directoryLinks: ["to-dir"],
      },
      name,
    );
  }
});

test("links among outputs: Buildfarm reports what they lead to, and drops those that lead nowhere", async (t) => {
  const { client } = await playing(t, "buildfarm@1.17");
  const result = await resultOf(client, { ...LINKS, command: BY_LIST });
  assert.deepEqual(lists(result), { files: ["to-file"], unified: [], fileLinks: [], directoryLinks: [] });
  assert.deepEqual(paths(result.outputDirectories), ["to-dir"]);
  const { digest } = result.outputFiles[0]!;
  assert.equal((await client.read(`blobs/${digest!.hash}/${digest!.sizeBytes}`)).toString(), "made\n");
});

test("links among outputs: Bazel's own worker failed on one that leads nowhere until 5", async (t) => {
  const { client } = await playing(t, "bazel-remote-worker@5");
  const { status } = await execute(client, { ...LINKS, command: { outputFiles: ["to-none"] } });
  assert.equal(status?.code, Status.FAILED_PRECONDITION);
  const { client: later } = await playing(t, "bazel-remote-worker@6");
  const result = await resultOf(later, { ...LINKS, command: { outputFiles: ["to-none"] } });
  assert.deepEqual(lists(result).fileLinks, ["to-none"]);
});

test("Buildbarn wants exactly its worker's platform, and since 2026-03-26 in the Action", async (t) => {
  const { client } = await playing(t, "buildbarn@2026-03-26");
  const refused = async (script: Parameters<typeof execute>[1]) => {
    const { status } = await execute(client, script);
    assert.equal(status?.code, Status.FAILED_PRECONDITION);
    assert.match(status!.message, /^No workers exist for the platform/);
    assert.deepEqual(status!.details, []);
  };
  await refused({ run: "true", command: { platform: HERE } });
  await refused({ run: "true" });
  const more = [...HERE.properties, { name: "pool", value: "big" }];
  await refused({ run: "true", action: { platform: { properties: more } } });
  await resultOf(client, { run: "true", ...ON_BUILDBARN });
  const { client: big } = await playing(t, "buildbarn@2026-03-26", {
    worker: { pool: "big", OSFamily: process.platform },
  });
  await resultOf(big, { run: "true", action: { platform: { properties: more } } });
});

test("Buildbarn 2020 reads the platform of the Command, 2021 that of either", async (t) => {
  const inCommand = { run: "true", command: { platform: HERE } };
  const inAction = { run: "true", action: { platform: HERE } };
  const { client: first } = await playing(t, "buildbarn@2020-06-25");
  await resultOf(first, { ...inCommand, command: { ...inCommand.command, arguments: ["/bin/true"] } });
  assert.equal((await execute(first, inAction)).status?.code, Status.FAILED_PRECONDITION);
  const { client: second } = await playing(t, "buildbarn@2021");
  await resultOf(second, inCommand);
  await resultOf(second, inAction);
});

test("Buildfarm says with a violation that there is no queue; BuildGrid, that it does not know a name", async (t) => {
  const other = { properties: [{ name: "OSFamily", value: "plan9" }] };
  const { client: buildfarm } = await playing(t, "buildfarm@2.15");
  const { status } = await execute(buildfarm, { run: "true", command: { platform: other } });
  assert.equal(status?.code, Status.FAILED_PRECONDITION);
  assert.match(status!.details[0]!.typeUrl, /PreconditionFailure$/);
  assert.match(Buffer.from(status!.details[0]!.value).toString("latin1"), /INVALID.*INVALID_PLATFORM/s);
  await resultOf(buildfarm, {
    run: "true",
    command: { platform: { properties: [{ name: "x", value: "y" }] } },
  });
  const { client: buildgrid } = await playing(t, "buildgrid@2019");
  const unknown = { properties: [{ name: "x", value: "y" }] };
  const refused = await execute(buildgrid, { run: "true", command: { platform: unknown } });
  assert.equal(refused.status?.code, Status.FAILED_PRECONDITION);
  assert.match(refused.status!.message, /the property "x"/);
});

test("Buildfarm refuses lists that are not sorted; others do not mind", async (t) => {
  const unsorted = [
    { outputFiles: ["b", "a"] },
    { outputDirectories: ["b", "a"] },
    {
      environmentVariables: [
        { name: "B", value: "" },
        { name: "A", value: "" },
      ],
    },
  ];
  const { client } = await playing(t, "buildfarm@1.17");
  for (const command of unsorted) {
    const { status } = await execute(client, { run: "true", command });
    assert.equal(status?.code, Status.FAILED_PRECONDITION, JSON.stringify(command));
    assert.match(status!.message, /must be sorted/);
  }
  await resultOf(client, { run: "true", command: { outputFiles: ["a", "b"] } });
  const { client: other } = await playing(t, "buildgrid@2018-10");
  for (const command of unsorted) await resultOf(other, { run: "true", command });
});

test("Scoot ends the stream after its first operation; GetOperation tells the rest", async (t) => {
  const { client } = await playing(t, "scoot@2022");
  const actionDigest = await storeScript(client, {
    run: "echo made > out",
    command: { outputFiles: ["out"] },
  });
  const operations = await client.all<Operation>("Execution/Execute", { actionDigest });
  assert.deepEqual(
    operations.map(({ done }) => done),
    [false],
  );
  const { name } = operations[0]!;
  const wait = client.all("Execution/WaitExecution", { name });
  await assert.rejects(wait, { code: Status.UNIMPLEMENTED });
  const get = () => client.unary<Operation>("/google.longrunning.Operations/GetOperation", { name });
  let operation = await get();
  while (!operation.done) operation = await get();
  assert.deepEqual(paths(responseOf(client, operation).result!.outputFiles), ["out"]);
});

test("Buildbarn runs an action again that is in its cache; Buildfarm does not", async (t) => {
  const again = async (client: ReapiClient, action: object) => {
    const script = { run: "true", action };
    await execute(client, script);
    return (await execute(client, script)).cachedResult;
  };
  const { client: buildbarn } = await playing(t, "buildbarn@2026-03-26");
  assert.equal(await again(buildbarn, { platform: HERE }), false);
  const { client: buildfarm } = await playing(t, "buildfarm@2.15");
  assert.equal(await again(buildfarm, {}), true);
});

test("missing inputs: with details, as a text, as NOT_FOUND", async (t) => {
  const input = { files: [{ name: "in", digest: sha256("never sent") }] };
  const told = async (name: string) => {
    const { client } = await playing(t, name);
    const { status } = await execute(client, { run: "true", inputs: input });
    return [status?.code, status?.details.length];
  };
  assert.deepEqual(await told("buildfarm@2.15"), [Status.FAILED_PRECONDITION, 1]);
  assert.deepEqual(await told("buildgrid@2018-10"), [Status.FAILED_PRECONDITION, 0]);
  assert.deepEqual(await told("nativelink@1.1"), [Status.NOT_FOUND, 0]);
  assert.deepEqual(await told("buildbuddy@2022"), [Status.NOT_FOUND, 0]);
  const { client: scoot } = await playing(t, "scoot@2022");
  const actionDigest = await storeScript(scoot, { run: "true", inputs: input });
  const [operation] = await scoot.all<Operation>("Execution/Execute", { actionDigest });
  const get = () =>
    scoot.unary<Operation>("/google.longrunning.Operations/GetOperation", { name: operation!.name });
  let state = await get();
  while (!state.done) state = await get();
  assert.equal(responseOf(scoot, state).status!.details.length, 0, "it names missing commands only");
});

test("Buildfarm 1.4 makes no links of the input tree; 1.5 does; neither takes absolute ones", async (t) => {
  const inputs = { symlinks: [{ name: "link", target: "somewhere" }] };
  const script = { run: "ls > out", inputs, command: { outputFiles: ["out"] } };
  const listing = async (name: string) => {
    const { client } = await playing(t, name);
    const { digest } = (await resultOf(client, script)).outputFiles[0]!;
    return (await client.read(`blobs/${digest!.hash}/${digest!.sizeBytes}`)).toString();
  };
  assert.equal(await listing("buildfarm@1.4"), "out\n");
  assert.equal(await listing("buildfarm@1.5"), "link\nout\n");
  const { client } = await playing(t, "buildfarm@1.5");
  const absolute = { symlinks: [{ name: "link", target: "/etc/hosts" }] };
  const { status } = await execute(client, { ...script, inputs: absolute });
  assert.equal(status?.code, Status.INVALID_ARGUMENT);
});

test("programs are looked up in PATH by Buildbarn 2020 and Buildfarm 1.17, whatever the level that they announce says", async (t) => {
  for (const [name, platform] of [
    ["buildbarn@2020-06-25", HERE],
    ["buildfarm@1.17", { properties: [] }],
  ] as const) {
    const { client } = await playing(t, name);
    const command = { arguments: ["true"], platform };
    const { status } = await execute(client, { run: "", command });
    assert.equal(status?.code ?? 0, 0, `${name}: ${status?.message}`);
  }
});

test("output directories: Buildfarm has a Tree whatever is asked; Buildbarn since 2023-12-22 a Tree and what is asked", async (t) => {
  const ask = (outputDirectoryFormat: number) => ({
    run: "mkdir dir",
    command: { outputPaths: ["dir"], outputDirectoryFormat },
  });
  const forms = (result: Result) => {
    const { treeDigest, rootDirectoryDigest } = result.outputDirectories[0]!;
    return [treeDigest !== null, rootDirectoryDigest !== null];
  };
  const { client: buildfarm } = await playing(t, "buildfarm@2.15");
  assert.deepEqual(forms(await resultOf(buildfarm, ask(2))), [true, false]);
  const { client: buildbarn } = await playing(t, "buildbarn@2024");
  const on = { action: { platform: HERE } };
  assert.deepEqual(forms(await resultOf(buildbarn, { ...ask(0), ...on })), [true, false]);
  assert.deepEqual(forms(await resultOf(buildbarn, { ...ask(1), ...on })), [true, true]);
});

test("Buildbarn inlines nothing, BuildBuddy what is asked for", async (t) => {
  const stdout = async (name: string) => {
    const { client } = await playing(t, name);
    const actionDigest = await storeScript(client, { run: "echo said", ...ON_BUILDBARN });
    await client.all<Operation>("Execution/Execute", { actionDigest });
    const request = { actionDigest, inlineStdout: true };
    const { stdoutRaw } = await client.unary<Result>("ActionCache/GetActionResult", request);
    return Buffer.from(stdoutRaw).toString();
  };
  assert.equal(await stdout("buildbarn@2026-03-26"), "");
  assert.equal(await stdout("buildbuddy@2022"), "said\n");
});

test("node properties: NativeLink sets what inputs ask for and returns none; Buildfarm does neither", async (t) => {
  const digest = sha256("in");
  const unixMode = { value: 0o750 };
  const inputs = { files: [{ name: "in", digest, nodeProperties: { unixMode } }] };
  const seen = async (name: string) => {
    const { client } = await playing(t, name);
    await client.store("in");
    const command = { outputPaths: ["out"], outputFiles: [], outputNodeProperties: ["unix_mode"] };
    const result = await resultOf(client, { run: "ls -l in | cut -c1-10 > out", inputs, command });
    const [out] = result.outputFiles;
    const text = await client.read(`blobs/${out!.digest!.hash}/${out!.digest!.sizeBytes}`);
    return [text.toString(), out!.nodeProperties];
  };
  assert.deepEqual(await seen("nativelink@1.6"), ["-rwxr-x---\n", null]);
  assert.deepEqual(await seen("buildfarm@2.16"), ["-rw-r--r--\n", null]);
});

test("the digest function of a request: read by Buildfarm 2.15 at 2.0, named in its operations; not seen by 1.17", async (t) => {
  const { client } = await playing(t, "buildfarm@2.15");
  const actionDigest = await storeScript(client, { run: "true" });
  const find = (each: ReapiClient) =>
    each.unary("ContentAddressableStorage/FindMissingBlobs", {
      blobDigests: [actionDigest],
      digestFunction: 2,
    });
  await assert.rejects(find(client), { code: Status.INVALID_ARGUMENT });
  const [operation] = await client.all<Operation>("Execution/Execute", { actionDigest });
  const metadata = unpackAny(client.codec, `${V2}.ExecuteOperationMetadata`, operation!.metadata);
  assert.equal(metadata?.digestFunction, 1);
  const { client: older } = await playing(t, "buildfarm@1.17");
  await find(older);
});

test("NativeLink does not find operations of instances with a slash", async (t) => {
  const { client } = await playing(t, "nativelink@1.1", { instances: ["a/b", "main"] });
  for (const [instanceName, code] of [
    ["a/b", Status.NOT_FOUND],
    ["main", null],
  ] as const) {
    const actionDigest = await storeScript(client, { run: "true" }).catch((error: unknown) => error);
    assert.ok(actionDigest instanceof CallFailed, "there is no instance without a name");
    const [operation] = await client.all<Operation>("Execution/Execute", {
      instanceName,
      actionDigest: sha256("no action"),
    });
    const wait = client.all<Operation>("Execution/WaitExecution", { name: operation!.name });
    if (code === null) assert.equal((await wait).at(-1)!.done, true);
    else await assert.rejects(wait, { code });
  }
});
