import assert from "node:assert/strict";
import { test } from "node:test";
import { type Shape, sampleOf } from "../../../src/client/samples.ts";
import { DEFAULT_WORKER } from "../../../src/embedded/behaviour/vocabulary.ts";
import { Status } from "../../../src/wire/status.ts";
import { playing, serverLike } from "../../support/played-server.ts";
import { embedded } from "../../support/reapi-client.ts";
import { levelClient } from "./level-client.ts";
import { line, play } from "./support.ts";

// Pairs that do not work (matrix M3), as far as actions are to blame: what their users see, without a bridge.

type Outcome = "works" | "lost" | RegExp;

interface Row {
  readonly client: string;
  readonly server: string;
  readonly outcomes: Readonly<Partial<Record<Shape, Outcome>>>;
}

/** What comes of shapes, for servers that match platforms exactly with the one that the worker has. */
async function seen(t: Parameters<typeof play>[0], client: string, server: string, shape: Shape) {
  const { address } = await playing(t, server);
  const built = await play(t, { address, as: line(client) }).build(shape, { platform: DEFAULT_WORKER });
  if (built.report === null) return built.deadly ?? "it stopped";
  if (built.report.failure !== null) return built.report.failure.text;
  if (built.report.wrong.length === 0) return "works";
  return built.missing.length > 0 && built.deadly === null ? "lost" : built.report.wrong.join("; ");
}

const NO_WORKER = /9 FAILED_PRECONDITION: No workers exist for the platform \{\}/;

const ROWS: readonly Row[] = [
  // Command.platform is not looked at (buck2#1366, buck2#1477).
  { client: "buck2", server: "buildbarn@2026-03-26", outcomes: { file: NO_WORKER, stdout: NO_WORKER } },
  { client: "pants@2.33", server: "buildbarn@2026-03-26", outcomes: { file: NO_WORKER } },
  { client: "pants@2.32", server: "buildbarn@2026-03-26", outcomes: { file: NO_WORKER } },
  { client: "siso@2025-05", server: "buildbarn@2026-03-26", outcomes: { file: NO_WORKER } },
  { client: "goma", server: "buildbarn@2026-03-26", outcomes: { file: NO_WORKER } },
  // output_paths are not looked at, and nobody says so.
  ...(["buildfarm@1.17", "buildfarm@2.1", "buildgrid@2019"] as const).flatMap((server) =>
    (["pants@2.33", "please", "buildstream@2.3"] as const).map(
      (client): Row => ({
        client,
        server,
        outcomes: { "among-inputs": "lost", "working-directory": "lost", "input-links": "works" },
      }),
    ),
  ),
  // An input root with nothing in it is missing as well, and BuildGrid does not say so in a way that clients understand.
  { client: "please", server: "buildgrid@2019", outcomes: { file: /blobs\/e3b0c442\S*\/0 is not stored/ } },
  ...(["pants@2.33", "please"] as const).map(
    (client): Row => ({
      client,
      server: "buildbarn@2020-06-25",
      outcomes: { file: "lost", directory: "lost", stdout: "works" },
    }),
  ),
  // The same clients with servers that read what they write.
  { client: "buck2", server: "buildbarn@2024", outcomes: { file: "works", directory: "works" } },
  { client: "pants@2.33", server: "buildfarm@2.15", outcomes: { file: "works", directory: "works" } },
  { client: "please", server: "buildfarm@2.2", outcomes: { file: "works" } },
];

for (const { client, server, outcomes } of ROWS) {
  test(`${client} before ${server}: ${Object.keys(outcomes).join(", ")}`, async (t) => {
    for (const [shape, expected] of Object.entries(outcomes) as [Shape, Outcome][]) {
      const outcome = await seen(t, client, server, shape);
      if (typeof expected === "string") assert.equal(outcome, expected, shape);
      else assert.match(outcome, expected, shape);
    }
  });
}

test("a client that sets the platform in the Action alone runs anywhere on Buildfarm before 2.16", async (t) => {
  const on = async (server: string, shape: Shape) => {
    const { address } = await playing(t, server);
    const client = play(t, { address, as: levelClient("2.12"), manner: { platform: "action" } });
    return client.build(shape);
  };
  for (const server of ["buildfarm@1.17", "buildfarm@2.15"]) {
    const anywhere = await on(server, "other-platform");
    assert.equal(anywhere.deadly, null, "it should have been refused");
    assert.match(anywhere.report!.wrong.join(), /^it did not end in FAILED_PRECONDITION/);
  }
  assert.equal(
    (await on("buildfarm@2.16", "other-platform")).report?.failure?.code,
    Status.FAILED_PRECONDITION,
  );
  assert.deepEqual((await on("buildfarm@2.16", "platform-in-action")).report?.wrong, []);
});

test("of different platforms Buildfarm takes the Command's before 2.16, and the Action's since", async (t) => {
  const on = async (server: string) => {
    const { address } = await playing(t, server);
    return play(t, { address, as: "2.12" }).build("different-platforms");
  };
  assert.equal((await on("buildfarm@2.15")).failure?.status, "FAILED_PRECONDITION");
  assert.deepEqual((await on("buildfarm@2.16")).report?.wrong, []);
});

test("a server of exact sets that looks into the Command refuses a client that sets the Action alone", async (t) => {
  const { address } = await playing(t, "buildbarn@2020-06-25");
  const client = play(t, {
    address,
    as: levelClient("2.12"),
    manner: { platform: "action", outputs: "lists" },
  });
  const { deadly } = await client.build("file", { platform: DEFAULT_WORKER });
  assert.match(deadly ?? "", NO_WORKER);
});

test("attributes of files: asked for by BuildStream and recc, told by hardly anybody", async (t) => {
  const attributes = async (server: string, as: ReturnType<typeof line>) => {
    const { address } = await playing(t, server);
    const { report } = await play(t, { address, as }).build("file", { platform: DEFAULT_WORKER });
    return report?.outputs.get("out.txt")?.attributes ?? null;
  };
  assert.equal(await attributes("buildfarm@2.15", line("recc")), null);
  const mtime = (await attributes("buildgrid@2020", line("recc")))?.mtime;
  assert.ok(mtime !== undefined && Math.abs(mtime - Date.now() / 1000) < 60);
});

test("attributes of inputs in the form of 2.0 are nothing to a server of 2.2, nor those of 2.2 to one of 2.0", async (t) => {
  const printed = async (client: "2.0" | "2.2", server: "2.0" | "2.2") => {
    const { address } = await embedded(t, server);
    const { report } = await play(t, { address, as: client }).build("input-attributes");
    return report?.stdout;
  };
  assert.equal(await printed("2.0", "2.0"), "old\n-rwxr-x---\n");
  assert.equal(await printed("2.2", "2.2"), "old\n-rwxr-x---\n");
  assert.equal(await printed("2.0", "2.2"), "new\n-rw-r--r--\n");
  assert.equal(await printed("2.2", "2.0"), "new\n-rw-r--r--\n");
});

test("lists that are not sorted are refused by Buildfarm; outputs within output directories too, in the older lists", async (t) => {
  const { address } = await playing(t, "buildfarm@1.17");
  const client = play(t, { address, as: "2.0" });
  const nested = ["nested-directories", "file-in-directory"] as const;
  for (const shape of ["unsorted", ...nested] as const satisfies Shape[]) {
    assert.equal((await client.build(shape)).failure?.status, "FAILED_PRECONDITION", shape);
  }
  const newer = await playing(t, "buildfarm@2.15");
  for (const shape of nested) {
    const built = await play(t, { address: newer.address, as: "2.12" }).build(shape);
    assert.deepEqual(built.report?.wrong, [], shape);
  }
});

test("an output directory that Buildfarm makes from a list has to be made by the command from output_paths", async (t) => {
  const { address } = await playing(t, "buildfarm@2.15");
  const exitCode = async (as: "2.0" | "2.1") =>
    (await play(t, { address, as }).build("unmade-directory")).report?.exitCode;
  assert.deepEqual([await exitCode("2.0"), await exitCode("2.1")], [0, 9]);
});

test("a server that looks for programs in the input root does not find those of clients since 2.3", async (t) => {
  const evidence = "the API until 2.3";
  const server = serverLike("buildfarm@2.15", {}, { argv0: { reads: ["input-root"], evidence } });
  const { address } = await playing(t, server);
  const newer = play(t, { address, as: "2.3" });
  assert.match((await newer.build("program")).deadly ?? "", /there is no program "\.\/\.\.\/bin\/tool"/);
  assert.match((await newer.build("bare-program")).deadly ?? "", /there is no program "sh"/);
  assert.deepEqual((await newer.build("program-at-root")).report?.wrong, []);
  assert.deepEqual((await play(t, { address, as: "2.2" }).build("program")).report?.wrong, []);
});

test("salt and whatever else is new is refused by a strict server, and skipped by any other", async (t) => {
  const evidence = "a test";
  const strict = serverLike("buildgrid@2019", {}, { "strict-canonical": { reads: ["strict"], evidence } });
  const { address } = await playing(t, strict);
  // The server wants the empty blob to be stored.
  const manner = { outputs: "lists", platform: "command", emptyBlob: true } as const;
  const client = play(t, { address, as: "2.12", manner });
  assert.deepEqual((await client.build("file")).report?.wrong, []);
  assert.match((await client.build("salt")).deadly ?? "", /Action is not canonical.* no field 9 /);
  const lenient = play(t, {
    address: (await playing(t, "buildgrid@2019")).address,
    as: "2.12",
    manner,
  });
  assert.deepEqual((await lenient.build("salt")).report?.wrong, []);
});

test("wishes for contents in the result are heard at a level that has them, and left aside elsewhere", async (t) => {
  const inlined = async (server: string) => {
    const { address } = await playing(t, server);
    const built = await play(t, { address, as: "2.12" }).build("inline");
    assert.deepEqual(built.report?.wrong, [], server);
    return built.report?.inlined;
  };
  assert.deepEqual(await inlined("buildbuddy@2025-11"), ["stdout", "stderr", "out.txt"]);
  assert.deepEqual(await inlined("buildfarm@2.15"), []);
});

test("a client may be told to ask for root directories, and reads whatever comes", async (t) => {
  for (const format of ["tree", "directory", "both"] as const) {
    const { address, controls } = await embedded(t);
    const client = play(t, { address, as: "2.12", manner: { directoryFormat: format } });
    assert.deepEqual((await client.build("directory")).report?.wrong, [], format);
    assert.ok(controls.calls("ContentAddressableStorage/BatchReadBlobs") > 0);
  }
});

test("a sample of a test's own is built as well", async (t) => {
  const { address } = await playing(t, "buildfarm@2.15");
  const sample = sampleOf("stdout");
  const spec = { ...sample.spec, asGiven: true, environment: { B: "2", A: "1" } };
  const { failure } = await play(t, { address, as: "2.12" }).buildSample({ ...sample, spec });
  assert.match(failure?.message ?? "", /environment_variables: .*must be sorted/);
});

test("a property more, as Bazel 9.1 sends one, leaves no worker where sets have to be the same", async (t) => {
  const platform = { ...DEFAULT_WORKER, persistentWorkerProtocol: "json" };
  const { address } = await playing(t, "buildbarn@2026-03-26");
  const client = play(t, { address, as: line("bazel@9.3") });
  assert.match((await client.build("file", { platform })).deadly ?? "", /No workers exist for the platform/);
  assert.deepEqual((await client.build("file", { platform: DEFAULT_WORKER })).report?.wrong, []);
  const buildfarm = await playing(t, "buildfarm@2.17");
  const there = await play(t, { address: buildfarm.address, as: line("bazel@9.3") }).build("file", {
    platform,
  });
  assert.deepEqual(there.report?.wrong, []);
});
