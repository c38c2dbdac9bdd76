import assert from "node:assert/strict";
import { test } from "node:test";
import { CallError } from "../../../src/embedded/call-error.ts";
import { recogniseClient } from "../../../src/peers/recognise-client.ts";
import { codec } from "../../../src/spec/codec.ts";
import { type Level, NEWEST } from "../../../src/spec/versions.ts";
import { preconditionFailureDetail } from "../../../src/wire/error-details.ts";
import { readToolDetails } from "../../../src/wire/request-metadata.ts";
import { Status } from "../../../src/wire/status.ts";
import type { Asked, Handler } from "./scripted-server.ts";
import { CAPABILITIES, done, line, profiles, scripted, V2 } from "./support.ts";

// What played clients send, and when.

test("a client names itself once in each call, so that its profile knows it again", async (t) => {
  const name = "build.bazel.remote.execution.v2.requestmetadata-bin";
  for (const range of profiles.ranges("client", "bazel")) {
    const { client, asked } = await scripted(t, { "Execution/Execute": () => done({}) }, { as: range });
    await client.build("stdout");
    for (const { metadata } of asked) {
      const values = metadata.get(name);
      assert.equal(values.length, 1);
      const tool = readToolDetails((values[0] as Buffer).toString("base64"))!;
      assert.deepEqual(recogniseClient(profiles, tool.name, tool.version), [range]);
    }
  }
});

/** The messages of the first Action and Command that were uploaded. */
function uploaded(asked: readonly Asked[], level: Level = NEWEST) {
  const blobs = asked.flatMap(({ method, request: { data, requests } }) => {
    if (method === "ByteStream/Write") return [data as Buffer];
    if (method !== "ContentAddressableStorage/BatchUpdateBlobs") return [];
    return (requests as { data: Buffer }[]).map((each) => each.data);
  });
  const command = blobs.find((blob) => blob.includes("OSFamily") && blob.includes("/bin/sh"))!;
  // Of the messages of an action only the Action has a time-out, field 6, which ends here with ten seconds.
  const action = blobs.find((blob) => blob.includes(Buffer.from([0x32, 2, 8, 10])))!;
  return {
    command: codec(level).decode(`${V2}.Command`, command),
    action: codec(level).decode(`${V2}.Action`, action),
  };
}

test("a command declares outputs and platform where the client writes them", async (t) => {
  const seen: Record<string, string> = {};
  for (const name of ["bazel@4.0", "bazel@6.3", "bazel@8.0", "buck2", "pants@2.33", "please", "siso"]) {
    const { client, asked } = await scripted(
      t,
      {
        "Execution/Execute": () => done({}),
      },
      { as: line(name) },
    );
    await client.build("platform");
    const { command, action } = uploaded(asked);
    seen[name] = [
      command.outputFiles.length > 0 && "files",
      command.outputPaths.length > 0 && "paths",
      command.platform && "in command",
      action.platform && "in action",
    ]
      .filter((part) => part)
      .join(" ");
  }
  assert.deepEqual(seen, {
    "bazel@4.0": "files in command",
    "bazel@6.3": "files paths in command in action",
    "bazel@8.0": "paths in command in action",
    buck2: "files paths in command",
    "pants@2.33": "paths in command",
    please: "paths in command in action",
    siso: "paths in command in action",
  });
});

test("requests name the digest function where the client does", async (t) => {
  for (const [as, number] of [
    [line("bazel@6.2"), 0],
    [line("bazel@6.3"), 1],
    ["2.4", 0],
    ["2.5", 1],
  ] as const) {
    const { client, asked } = await scripted(
      t,
      {
        "Execution/Execute": () => done({}),
      },
      { as },
    );
    await client.build("stdout");
    const { digestFunction } = asked.find(({ method }) => method === "Execution/Execute")!.request;
    assert.equal(digestFunction, number);
  }
});

/** An execution that lacks the blob of the Action at first; `type` is that of a second violation. */
function lacking(subject: (hash: string, size: bigint) => string, type = "MISSING"): Handler {
  return ({ actionDigest }, before) => {
    if (before > 0) return done({});
    const { hash, sizeBytes } = actionDigest as { hash: string; sizeBytes: bigint };
    const violation = { type: "MISSING", subject: subject(hash, sizeBytes), description: "" };
    const detail = preconditionFailureDetail([violation, { ...violation, type }]);
    throw new CallError(Status.FAILED_PRECONDITION, "blobs are missing", [detail]);
  };
}

test("blobs that went missing are uploaded again, if the client understands which", async (t) => {
  const short = (hash: string, size: bigint) => `blobs/${hash}/${size}`;
  const long = (hash: string, size: bigint) => `blobs/sha256/${hash}/${size}`;
  const cases = [
    ["bazel@6.2", lacking(short), true],
    ["bazel@6.2", lacking(long), true],
    ["bazel@6.2", lacking(short, "INVALID"), true],
    ["bazel@6.2", lacking(() => "blobs/00/1"), false],
    ["pants@2.32", lacking(short), true],
    ["pants@2.32", lacking(long), false],
    ["pants@2.32", lacking(short, "INVALID"), false],
  ] as const;
  for (const [name, execute, runs] of cases) {
    const { client, asked } = await scripted(t, { "Execution/Execute": execute }, { as: line(name) });
    const { deadly, failure } = await client.build("stdout");
    assert.equal(deadly === null, runs, `${name}: ${deadly}`);
    assert.equal(failure?.status ?? null, runs ? null : "FAILED_PRECONDITION");
    assert.equal(asked.filter(({ method }) => method === "Execution/Execute").length, runs ? 2 : 1);
  }
});

test("long lists of digests are divided, except by a client that does not", async (t) => {
  const lengths: Record<string, number> = {};
  for (const name of ["reclient", "pants@2.32"]) {
    const { client, asked } = await scripted(t, {}, { as: line(name) });
    const { manner } = await client.negotiate();
    lengths[name] = manner.mostDigests;
    await client.build("stdout");
    assert.equal(asked.filter(({ method }) => method.endsWith("/FindMissingBlobs")).length, 1);
  }
  assert.deepEqual(lengths, { reclient: 4000, "pants@2.32": Number.POSITIVE_INFINITY });
});

test("the empty blob travels up to 2.1 only", async (t) => {
  for (const [as, travels] of [
    ["2.1", true],
    ["2.2", false],
  ] as const) {
    const { client, asked } = await scripted(t, { "Execution/Execute": () => done({}) }, { as });
    // The input root of this shape is empty.
    await client.build("stdout");
    const { blobDigests } = asked.find(({ method }) => method.endsWith("/FindMissingBlobs"))!.request;
    const sizes = (blobDigests as { sizeBytes: bigint }[]).map(({ sizeBytes }) => sizeBytes);
    assert.equal(sizes.includes(0n), travels);
  }
});

test("a compressed upload may end with the counts that the client takes", async (t) => {
  const script = (count: (sent: number, blob: number) => number) => ({
    "Capabilities/GetCapabilities": () => ({
      ...CAPABILITIES,
      cacheCapabilities: { ...CAPABILITIES.cacheCapabilities, supportedCompressors: [1] },
    }),
    "Execution/Execute": () => done({}),
    "ByteStream/Write": ({ data, resourceName }: Readonly<Record<string, unknown>>) => {
      assert.match(resourceName as string, /^uploads\/[^/]+\/compressed-blobs\/zstd\/[0-9a-f]{64}\/\d+$/);
      const size = Number(/\d+$/.exec(resourceName as string)![0]);
      return { committedSize: count((data as Buffer).length, size) };
    },
  });
  const counts = {
    sent: (sent: number) => sent,
    blob: (_: number, blob: number) => blob,
    "minus-one": () => -1,
  };
  const taken: Record<string, string[]> = {};
  for (const name of ["bazel@5.0", "bazel@5.1", "bazel@9.3"]) {
    const takes: string[] = [];
    taken[name] = takes;
    for (const [form, count] of Object.entries(counts)) {
      const { client } = await scripted(t, script(count), { as: line(name), compression: true });
      if ((await client.build("stdout")).deadly === null) takes.push(form);
    }
  }
  assert.deepEqual(taken, {
    "bazel@5.0": ["sent"],
    "bazel@5.1": ["sent", "minus-one"],
    "bazel@9.3": ["sent", "blob", "minus-one"],
  });
});

test("a broken stream leads to WaitExecution or to a new Execute", async (t) => {
  const execute: Handler = (_, before) => {
    if (before > 0) return done({});
    return (function* () {
      yield { name: "op" };
      throw new CallError(Status.UNAVAILABLE, "gone");
    })();
  };
  for (const [name, expected] of [
    ["siso", ["Execution/Execute", "Execution/WaitExecution"]],
    ["buck2", ["Execution/Execute", "Execution/Execute"]],
  ] as const) {
    const script = { "Execution/Execute": execute, "Execution/WaitExecution": () => done({}) };
    const { client, asked } = await scripted(t, script, { as: line(name) });
    assert.equal((await client.build("stdout")).deadly, null);
    const calls = asked.map(({ method }) => method).filter((method) => method.startsWith("Execution/"));
    assert.deepEqual(calls, expected);
  }
});

test("BuildStream asks by empty requests which batch methods there are, and Fetch and Push by requests without URIs", async (t) => {
  const refuse = (code: 3 | 12) => () => {
    throw new CallError(code, "no");
  };
  const old = await scripted(
    t,
    {
      "ContentAddressableStorage/BatchUpdateBlobs": refuse(Status.UNIMPLEMENTED),
      "ContentAddressableStorage/BatchReadBlobs": refuse(Status.INVALID_ARGUMENT),
    },
    { as: line("buildstream@1.6") },
  );
  const { batches } = (await old.client.negotiate()).manner;
  assert.deepEqual([batches.update, batches.read], [false, true]);

  const verdicts = async (fetch: Handler | null) => {
    const script = {
      "Push/PushBlob": refuse(Status.INVALID_ARGUMENT),
      ...(fetch && { "Fetch/FetchBlob": fetch }),
    };
    const { client } = await scripted(t, script, { as: line("buildstream@2.5") });
    const probes = await client.probes();
    return Object.fromEntries(probes.map(({ method, verdict }) => [method, verdict]));
  };
  assert.deepEqual(await verdicts(refuse(Status.INVALID_ARGUMENT)), {
    "ContentAddressableStorage/BatchUpdateBlobs": "there",
    "ContentAddressableStorage/BatchReadBlobs": "without",
    "Fetch/FetchBlob": "there",
    "Push/PushBlob": "there",
  });
  assert.equal((await verdicts(null))["Fetch/FetchBlob"], "refuses");
  assert.equal((await verdicts(() => ({})))["Fetch/FetchBlob"], "refuses");
});

test("properties of outputs are asked for in the form of the client, and only by one that always does", async (t) => {
  const asks: Record<string, string[][]> = {};
  const cases = [
    ["buildstream@1.93.2", null, "2.2"],
    ["buildstream@1.93.2", "2020-03", "2.2"],
    ["buildstream@1.93.4", "message", "2.2"],
    ["recc", null, "2.2"],
    ["bazel@6.2", null, "2.2"],
  ] as const;
  for (const [name, form, level] of cases) {
    const writes = form === null ? {} : { "node-properties": [form] };
    const script = { "Execution/Execute": () => done({}) };
    const { client, asked } = await scripted(t, script, { as: line(name), writes });
    await client.build("platform");
    const { command, action } = uploaded(asked, level);
    asks[`${name} ${form ?? "as it is"}`] = [action.outputNodeProperties, command.outputNodeProperties];
  }
  assert.deepEqual(asks, {
    "buildstream@1.93.2 as it is": [[], []],
    "buildstream@1.93.2 2020-03": [[], ["MTime"]],
    "buildstream@1.93.4 message": [[], ["mtime"]],
    "recc as it is": [[], ["mtime"]],
    "bazel@6.2 as it is": [[], []],
  });
});

test("an instance name stands in every request and before every name of a blob", async (t) => {
  const { client, asked } = await scripted(
    t,
    { "Execution/Execute": () => done({}) },
    { as: line("bazel@6.2"), instance: "main/farm" },
  );
  await client.build("stdout");
  const methods = new Set<string>();
  for (const { method, request } of asked) {
    methods.add(method);
    const { instanceName, resourceName } = request;
    if (method === "ByteStream/Write") assert.match(resourceName as string, /^main\/farm\/uploads\//);
    else assert.equal(instanceName, "main/farm", method);
  }
  assert.deepEqual([...methods].sort(), [
    "ActionCache/GetActionResult",
    "ByteStream/Write",
    "Capabilities/GetCapabilities",
    "ContentAddressableStorage/FindMissingBlobs",
    "Execution/Execute",
  ]);
});
