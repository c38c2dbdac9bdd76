import assert from "node:assert/strict";
import { test } from "node:test";
import type { BridgeError } from "../../../src/spec/bridge-error.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import type { Level } from "../../../src/spec/versions.ts";
import type { ActionMessages } from "../../../src/translators/translator.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { joined } from "../../../src/wire/rewrite.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { hex } from "../../unit/wire/support.ts";
import { client, originals, plan, resultOf, server, steps, transformed } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
type Of<Name extends keyof Messages> = Draft<Messages[Name]>;

const STRICT = { "strict-canonical": { reads: ["strict"], writes: ["strict"] } };
const PLATFORM = { properties: [{ name: "OSFamily", value: "linux" }] };

/** A strict server of a level before a client that writes all there is, in the same form where there are several. */
const to = (level: Level | null) =>
  plan(client({ level: level ?? "2018-11" }), server({ level, forms: STRICT }));

const given = (
  action: Of<`${typeof V2}.Action`>,
  command: Of<`${typeof V2}.Command`> = {},
): ActionMessages => ({
  action: codec().encode(`${V2}.Action`, action),
  command: codec().encode(`${V2}.Command`, command),
});

function refusal(act: () => unknown): BridgeError {
  try {
    act();
  } catch (error) {
    if ((error as Error).name === "BridgeError") return error as BridgeError;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("given messages without later fields, then they are the same buffers", () => {
  const messages = given(
    { timeout: { seconds: 5n }, doNotCache: true },
    { arguments: ["a"], platform: PLATFORM, outputFiles: ["o"] },
  );
  const after = transformed(to("2018-11"), messages);
  assert.ok(after.action === messages.action && after.command === messages.command);
});

test("given a salt, then the action is refused with the four facts: without it, entries would be shared", () => {
  const { message, facts, status } = refusal(() => transformed(to("2.0"), given({ salt: Buffer.from("s") })));
  assert.equal(
    message,
    'Action.salt (API 2.2) was used, but the upstream "the server" speaks 2.0 and refuses messages with fields that it does not know, as its profile says; remove the salt, or relax the profile of the upstream [action-unsupported, D38]',
  );
  assert.deepEqual([facts.field, status], ["salt", 3]);
  const known = given({ salt: Buffer.from("s") });
  assert.equal(transformed(to("2.2"), known).action, known.action);
});

test("given a platform in the Action, then it goes where the Command says the same, and is refused elsewhere", () => {
  const same = transformed(to("2.0"), given({ platform: PLATFORM }, { platform: PLATFORM }));
  assert.deepEqual([same.action, same.command], Object.values(given({}, { platform: PLATFORM })));
  for (const platform of [null, { properties: [] }, { properties: [{ name: "x" }] }])
    assert.equal(
      refusal(() => transformed(to("2.0"), given({ platform: PLATFORM }, { platform }))).facts.field,
      "platform",
    );
});

test("given output paths, then they go where lists declare outputs as well, and are refused elsewhere", () => {
  const command = { outputFiles: ["a"], outputPaths: ["a"], outputDirectoryFormat: 1 };
  assert.deepEqual(
    transformed(to("2.0"), given({}, command)).command,
    given({}, { outputFiles: ["a"] }).command,
  );
  const alone = refusal(() => transformed(to("2.0"), given({}, { outputPaths: ["a"] })));
  assert.deepEqual([alone.facts.field, alone.facts.since, alone.facts.drift], ["output_paths", "2.1", "D03"]);
  const known = transformed(to("2.7"), given({}, command)).command;
  assert.deepEqual(known, given({}, { ...command, outputDirectoryFormat: 0 }).command);
});

test("given a field that no revision has, or one of another type, then it is refused by its number, wherever it stands", () => {
  const { facts } = refusal(() =>
    transformed(to("main"), { action: hex("a2 06 01 01"), command: Buffer.alloc(0) }),
  );
  assert.deepEqual([facts.used, facts.since, facts.field], ["The field 100 of Action", null, "100"]);
  // Action.command_digest (1) {3: 1}; Action.do_not_cache (7) as bytes; Command.platform (5) {2: ""}
  const inDigest = refusal(() =>
    transformed(to("main"), { action: hex("0a 02 18 01"), command: Buffer.alloc(0) }),
  );
  assert.equal(inDigest.facts.field, "command_digest.3");
  const typed = refusal(() => transformed(to("main"), { action: hex("3a 01 01"), command: Buffer.alloc(0) }));
  assert.equal(typed.facts.field, "do_not_cache");
  const inPlatform = refusal(() =>
    transformed(to("main"), { action: Buffer.alloc(0), command: hex("2a 02 12 00") }),
  );
  assert.equal(inPlatform.facts.field, "platform.2");
});

test("given a server that does not say what it speaks, then only what all know passes", () => {
  const pair = plan(client({ level: "2.1" }), server({ level: null, forms: STRICT }));
  assert.equal(refusal(() => transformed(pair, given({ salt: Buffer.from("s") }))).facts.field, "salt");
});

const sent = (pair: ReturnType<typeof plan>, bytes: Buffer): Buffer =>
  steps(pair).reduce((current, { directory }) => joined(directory?.(current) ?? null, current), bytes);

test("given input directories, then a wish about hard links goes, and attributes that the server does not know are refused", () => {
  assert.deepEqual(sent(to("2.0"), hex("0a 06 0a 01 66 3a 01 73")), hex("0a 03 0a 01 66"));
  const attributes = codec().encode(`${V2}.Directory`, {
    files: [{ name: "f", nodeProperties: { mtime: {} } }],
  });
  const { facts } = refusal(() => sent(to("2.0"), attributes));
  assert.deepEqual(
    [facts.code, facts.used, facts.since, facts.field],
    ["input-unsupported", "FileNode.node_properties", "2.2", "files.node_properties"],
  );
  assert.equal(sent(to("2.2"), attributes), attributes);
});

test("given attributes that have another form, then they are translated first, and nothing is left to refuse", () => {
  const pair = plan(client({ level: "2.2" }), server({ level: "2.1", forms: STRICT }));
  const attributes = codec().encode(`${V2}.Directory`, {
    files: [{ name: "f", nodeProperties: { unixMode: { value: 0o644 } } }],
  });
  const after = codec("2.1").decode(`${V2}.Directory`, sent(pair, attributes));
  assert.deepEqual(
    after.files[0]?.legacyNodeProperties.map(({ value }) => value),
    ["0644"],
  );
  const asked = transformed(pair, given({}, { outputNodeProperties: ["mtime"] }));
  assert.deepEqual(codec("2.1").decode(`${V2}.Action`, asked.action).outputNodeProperties, ["MTime"]);
});

/** A Tree of a newer worker: a child with a field of the future, named by its parent. */
function tree(extra: Buffer) {
  const port = new MemoryUpstream();
  const child = Buffer.concat([
    codec().encode(`${V2}.Directory`, { files: [{ name: "f", nodeProperties: { unixMode: { value: 1 } } }] }),
    extra,
  ]);
  const { hash, sizeBytes } = port.put(child);
  const root = codec().encode(`${V2}.Directory`, {
    directories: [{ name: "d", digest: { hash, sizeBytes: BigInt(sizeBytes) } }],
  });
  const out = new FieldWriter();
  out.bytes(1, root);
  out.bytes(2, child);
  const digest = port.put(out.toBuffer());
  const result = codec().encode(`${V2}.ActionResult`, {
    outputDirectories: [
      { path: "d", treeDigest: { hash: digest.hash, sizeBytes: BigInt(digest.sizeBytes) } },
    ],
  });
  return { port, result };
}

/** Finds the child of a Tree as a strict client does: by the digest of what it understands of it. */
function childFound(port: MemoryUpstream, result: Buffer, level: Level): boolean {
  const { treeDigest } = codec().decode(`${V2}.ActionResult`, result).outputDirectories[0]!;
  const bytes = port.blobs.get(`${treeDigest!.hash}/${treeDigest!.sizeBytes}`)!;
  const { root, children } = codec(level).decode(`${V2}.Tree`, bytes);
  const understood = children.map((child) => codec(level).encode(`${V2}.Directory`, withoutUnknown(child)));
  const digests = understood.map((child) => new MemoryUpstream().put(child).hash);
  return digests.includes(root!.directories[0]!.digest!.hash);
}

/** A draft of what a codec understood, which leaves unknown fields behind. */
function withoutUnknown<T>(message: T): T {
  if (Array.isArray(message)) return message.map(withoutUnknown) as T;
  if (typeof message !== "object" || message === null || Buffer.isBuffer(message)) return message;
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => [name, withoutUnknown(value)]),
  ) as T;
}

const strictClient = (level: Level) => client({ level, forms: STRICT });

test("given a strict client, then it finds every child of a Tree by what it understands", async () => {
  for (const [level, extra] of [
    ["main", hex("a2 06 01 01")],
    ["2.2", hex("a2 06 01 01")],
    ["2.2", Buffer.alloc(0)],
    ["2018-11", Buffer.alloc(0)],
  ] as const) {
    const { port, result } = tree(extra);
    const pair = plan(strictClient(level), server({ level: "2.2" }));
    const understood = extra.length === 0 && level !== "2018-11";
    assert.equal(childFound(port, result, level), understood);
    const once = await resultOf(pair, result, originals(port));
    assert.ok(childFound(port, once, level), level);
    assert.equal(once === result, understood);
    assert.equal(await resultOf(pair, once, originals(port)), once);
  }
});

test("given attributes in the other form, then they are translated for a strict client, not taken away", async () => {
  const { port, result } = tree(hex("a2 06 01 01"));
  const pair = plan(strictClient("2.1"), server({ level: "2.2" }));
  const once = await resultOf(pair, result, originals(port));
  assert.ok(childFound(port, once, "2.1"));
  const { treeDigest } = codec().decode(`${V2}.ActionResult`, once).outputDirectories[0]!;
  const { children } = codec("2.1").decode(
    `${V2}.Tree`,
    port.blobs.get(`${treeDigest!.hash}/${treeDigest!.sizeBytes}`)!,
  );
  assert.deepEqual(
    children[0]?.files[0]?.legacyNodeProperties.map(({ value }) => value),
    ["0001"],
  );
});

test("given a client that is not known to be strict, then Trees pass as they are", async () => {
  const { port, result } = tree(hex("a2 06 01 01"));
  assert.equal(await resultOf(plan(client(), server()), result, originals(port)), result);
});
