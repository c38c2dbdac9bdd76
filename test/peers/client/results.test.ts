import assert from "node:assert/strict";
import { test } from "node:test";
import { CallError } from "../../../src/embedded/call-error.ts";
import { errorInfoDetail } from "../../../src/wire/error-details.ts";
import { Status } from "../../../src/wire/status.ts";
import { done, line, scripted, V2 } from "./support.ts";

// What played clients read, and what they die on.

test("each client finds symlinks in the lists it reads, and in no others", async (t) => {
  const link = { path: "link.txt", target: "real.txt" };
  const file = { path: "real.txt", contents: Buffer.from("real\n"), digest: { hash: "00", sizeBytes: 5 } };
  const lists = [
    { outputSymlinks: [link] },
    { outputFileSymlinks: [link] },
    { outputSymlinks: [link], outputFileSymlinks: [link] },
  ];
  const found: Record<string, boolean[]> = {};
  for (const name of ["reclient", "buck2", "bazel@6.3", "bazel@6.2"]) {
    const reads: boolean[] = [];
    found[name] = reads;
    for (const list of lists) {
      const { client } = await scripted(
        t,
        { "ActionCache/GetActionResult": () => ({ outputFiles: [file], ...list }) },
        { as: line(name) },
      );
      const { outputs, missing } = await client.build("link-to-file");
      assert.deepEqual(outputs.get("real.txt"), {
        kind: "file",
        content: Buffer.from("real\n"),
        executable: false,
      });
      assert.deepEqual(missing, outputs.has("link.txt") ? [] : ["link.txt"]);
      reads.push(outputs.has("link.txt"));
    }
  }
  assert.deepEqual(found, {
    reclient: [false, true, true],
    buck2: [true, false, true],
    "bazel@6.3": [true, true, true],
    "bazel@6.2": [false, true, true],
  });
});

test("what a client dies on: files it did not ask for, an action cache that fails", async (t) => {
  const file = { path: "else.txt", contents: Buffer.from("x"), digest: { hash: "00", sizeBytes: 1 } };
  const unasked = { "ActionCache/GetActionResult": () => ({ outputFiles: [file] }) };
  const buildstream = await scripted(t, unasked, { as: line("buildstream@2.0") });
  assert.match(
    (await buildstream.client.build("stdout")).deadly ?? "",
    /did not ask for the files else\.txt$/,
  );
  const bazel = await scripted(t, unasked, { as: line("bazel@6.2") });
  assert.equal((await bazel.client.build("stdout")).deadly, null);

  const broken = {
    "ActionCache/GetActionResult": () => {
      throw new CallError(Status.INTERNAL, "the cache broke");
    },
    "Execution/Execute": () => done({}),
  };
  const strict = await scripted(t, broken, { as: line("buildstream@2.0") });
  assert.match((await strict.client.build("stdout")).deadly ?? "", /GetActionResult.*the cache broke/);
  const easy = await scripted(t, broken, { as: line("recc") });
  assert.equal((await easy.client.build("stdout")).deadly, null);
});

test("a failure comes with its status, its message and its ErrorInfo", async (t) => {
  const info = {
    reason: "OUTPUT_UNSUPPORTED",
    domain: "reapi-bridge",
    metadata: { feature: "output-paths" },
  };
  const { client } = await scripted(
    t,
    {
      "Execution/Execute": () => {
        throw new CallError(Status.INVALID_ARGUMENT, "not like this", [errorInfoDetail(info)]);
      },
    },
    { as: "2.12" },
  );
  const { deadly, failure } = await client.build("file");
  assert.equal(deadly, `the call /${V2}.Execution/Execute failed: 3 INVALID_ARGUMENT: not like this`);
  assert.equal(failure?.status, "INVALID_ARGUMENT");
  assert.equal(failure?.message, "not like this");
  assert.deepEqual({ ...failure?.errorInfo, metadata: { ...failure?.errorInfo?.metadata } }, info);
});

test("a tree that cannot be read stops the client", async (t) => {
  const treeDigest = { hash: "00", sizeBytes: 2 };
  const { client } = await scripted(
    t,
    {
      "ActionCache/GetActionResult": () => ({ outputDirectories: [{ path: "out", treeDigest }] }),
      "ContentAddressableStorage/BatchReadBlobs": () => ({
        responses: [{ digest: treeDigest, data: Buffer.from([0x0a, 0xff]) }],
      }),
    },
    { as: "2.12" },
  );
  const { deadly, failure } = await client.build("directory");
  assert.match(deadly ?? "", /^api@2\.12 cannot read what came: /);
  assert.equal(failure, null);
});
