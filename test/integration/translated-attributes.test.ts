/** Attributes of files, and messages for strict servers, through a bridge: real clients and servers of different levels, real processes. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { planRoutes } from "../../src/proxy/lanes/plan-routes.ts";
import type { Level } from "../../src/spec/versions.ts";
import { SAFE_DIALECT } from "../../src/upstream/dialect.ts";
import { Status } from "../../src/wire/status.ts";
import { bridgeTo } from "../support/bridge.ts";
import {
  execute,
  playing,
  resultOf,
  type Script,
  serverLike,
  storeScript,
} from "../support/played-server.ts";
import { embedded, ReapiClient, sha256, V2, type V2Message } from "../support/reapi-client.ts";
import { client as clientOf, plan, server as serverOf } from "../translators/support.ts";

/** A client of one level before a server of another. */
async function between(t: TestContext, from: Level, to: Level): Promise<ReapiClient> {
  const { address } = await embedded(t, to);
  const made = plan(clientOf({ level: from }), serverOf({ level: to, source: "profile" }));
  const bridge = await bridgeTo(t, address, {}, { routes: planRoutes(made, { dialect: SAFE_DIALECT }) });
  return new ReapiClient(t, bridge.address, from);
}

const RUN =
  "ls -l sub/in | cut -c1-10 > out; chmod 751 out; touch -d @1000000000 out; mkdir d; ln -s nowhere d/l; touch -d @1500000000.25 d/f";

/** What an action makes of attributes in inputs, and what comes back of those of outputs: executed, and then from the cache. */
async function outcome(client: ReapiClient, script: Script, list: boolean) {
  await client.store("in");
  const executed = await resultOf(client, script);
  const actionDigest = await storeScript(client, script);
  const cached = await client.unary<V2Message<"ActionResult">>("ActionCache/GetActionResult", {
    actionDigest,
  });
  const seen = [];
  for (const result of [executed, cached]) {
    const [out] = result.outputFiles;
    const { hash, sizeBytes } = result.outputDirectories[0]!.treeDigest!;
    const tree = client.codec.decode(`${V2}.Tree`, await client.read(`blobs/${hash}/${sizeBytes}`));
    const { files } = tree.root!;
    const text = await client.read(`blobs/${out!.digest!.hash}/${out!.digest!.sizeBytes}`);
    seen.push([text.toString().trim(), ...[out!, files[0]!].map((node) => attributes(node, list))]);
  }
  assert.deepEqual(seen[0], seen[1]);
  return seen[0];
}

type Node = Pick<V2Message<"FileNode">, "nodeProperties" | "legacyNodeProperties">;

function attributes({ nodeProperties, legacyNodeProperties }: Node, list: boolean) {
  if (list) return legacyNodeProperties.map(({ name, value }) => `${name}=${value}`);
  const { mtime, unixMode } = nodeProperties ?? {};
  return [`${mtime?.seconds}.${mtime?.nanos}`, unixMode?.value.toString(8)];
}

/** The script with `sub/in` of the mode 0750, for a client of a level. */
async function scriptFor(client: ReapiClient, list: boolean): Promise<Script> {
  const own = list
    ? { legacyNodeProperties: [{ name: "UnixMode", value: "0750" }] }
    : { nodeProperties: { unixMode: { value: 0o750 } } };
  const sub = await client.storeMessage(`${V2}.Directory`, {
    files: [{ name: "in", digest: sha256("in"), ...own }],
  });
  const asked = { outputNodeProperties: list ? ["MTime", "UnixMode"] : ["mtime", "unix_mode"] };
  return {
    run: RUN,
    inputs: { directories: [{ name: "sub", digest: sub }] },
    ...(list ? { action: asked } : {}),
    command: { outputFiles: ["out"], outputDirectories: ["d"], ...(list ? {} : asked) },
  };
}

test("given a newer client, then modes reach the inputs of an older server, and its answers come as messages", async (t) => {
  const client = await between(t, "2.2", "2.0");
  assert.deepEqual(await outcome(client, await scriptFor(client, false), false), [
    "-rwxr-x---",
    ["1000000000.0", "751"],
    ["1500000000.250000000", "644"],
  ]);
});

test("given an older client, then a newer server does the same for it, and its answers come as lists", async (t) => {
  const client = await between(t, "2.0", "2.12");
  assert.deepEqual(await outcome(client, await scriptFor(client, true), true), [
    "-rwxr-x---",
    ["MTime=2001-09-09T01:46:40Z", "UnixMode=0751"],
    ["MTime=2017-07-14T02:40:00.25Z", "UnixMode=0644"],
  ]);
});

test("given a mode with bits that the list cannot say, then the action is refused before it runs, and its look-up is a miss", async (t) => {
  const client = await between(t, "2.2", "2.1");
  await client.store("in");
  const script: Script = {
    run: "true",
    inputs: {
      files: [{ name: "in", digest: sha256("in"), nodeProperties: { unixMode: { value: 0o100644 } } }],
    },
  };
  await assert.rejects(execute(client, script), {
    code: Status.INVALID_ARGUMENT,
    message: /unix_mode of "in"/,
  });
  const actionDigest = await storeScript(client, script);
  await assert.rejects(client.unary("ActionCache/GetActionResult", { actionDigest }), {
    code: Status.NOT_FOUND,
  });
});

const STRICT = { reads: ["strict"], writes: ["strict"], evidence: "the test" };

test("given a server that refuses what it does not know, then what may go goes, and a salt is refused by the bridge", async (t) => {
  const strict = serverLike(
    "kajiya",
    { level: { is: "2.0", evidence: "the test" } },
    { "strict-canonical": STRICT },
  );
  const { client: direct, address } = await playing(t, strict);
  const forms = { "strict-canonical": { reads: ["strict"] } };
  const made = plan(clientOf({ level: "2.0" }), serverOf({ level: "2.0", forms }));
  const bridge = await bridgeTo(t, address, {}, { routes: planRoutes(made, { dialect: SAFE_DIALECT }) });
  const client = new ReapiClient(t, bridge.address);
  const command = { outputFiles: ["out"], outputPaths: ["out"] };
  const script = {
    run: "cat link > out",
    command,
    inputs: { files: [{ name: "in", digest: sha256("in") }], symlinks: [{ name: "link", target: "./in" }] },
  };
  await direct.store("in");
  assert.equal((await execute(direct, script)).status?.code, Status.INVALID_ARGUMENT);
  assert.deepEqual((await resultOf(client, script)).outputFiles[0]?.digest?.hash, sha256("in").hash);
  await assert.rejects(execute(client, { ...script, action: { salt: Buffer.from("s") } }), {
    code: Status.INVALID_ARGUMENT,
    message: /^Action\.salt .*D38\]$/,
  });
});

test("given a server that insists on canonical targets, then it gets them", async (t) => {
  const strict = serverLike("buildfarm@2.17", {}, { "input-symlinks": STRICT });
  const { client: direct, address } = await playing(t, strict);
  const made = plan(clientOf(), serverOf({ forms: { "input-symlinks": { reads: ["strict"] } } }));
  const bridge = await bridgeTo(t, address, {}, { routes: planRoutes(made, { dialect: SAFE_DIALECT }) });
  const client = new ReapiClient(t, bridge.address);
  await direct.store("in");
  const inputs = {
    files: [{ name: "in", digest: sha256("in") }],
    symlinks: [{ name: "link", target: ".//./in" }],
  };
  const script = { run: "cat link > out", command: { outputPaths: ["out"] }, inputs };
  assert.equal((await execute(direct, script)).status?.code, Status.INVALID_ARGUMENT);
  assert.deepEqual((await resultOf(client, script)).outputFiles[0]?.digest?.hash, sha256("in").hash);
});
