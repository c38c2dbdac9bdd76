import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { LEVELS } from "../../../src/spec/versions.ts";
import { hex } from "../../unit/wire/support.ts";
import { client, plan, server, transformed } from "../support.ts";
import { between, directory, sent, someProperties } from "./support.ts";

const V2 = "build.bazel.remote.execution.v2";
const DIGEST = { hash: "ab".repeat(32), sizeBytes: 3n };
const PAIRS = ["list", "2020-03", "message"] as const;

const action = (draft: Draft<Messages[`${typeof V2}.Action`]>, level: "2.1" | "2.2" = "2.2") =>
  codec(level).encode(`${V2}.Action`, draft);
const command = (names: string[]) =>
  codec("2.2").encode(`${V2}.Command`, { arguments: ["a"], outputPaths: ["o"], outputNodeProperties: names });

/** Where an action asks for attributes in each form. */
const ASKING = {
  list: { action: action({ outputNodeProperties: ["MTime", "UnixMode", "x"] }, "2.1"), command: command([]) },
  "2020-03": { action: action({}), command: command(["MTime", "UnixMode", "x"]) },
  message: { action: action({}), command: command(["mtime", "unix_mode", "x"]) },
};

for (const from of PAIRS) {
  for (const to of PAIRS.filter((form) => form !== from)) {
    test(`given a client of ${from} that asks for attributes, then a server of ${to} is asked in its own form, once`, () => {
      const pair = between(from, to);
      const { action: a, command: c } = transformed(pair, ASKING[from]);
      assert.deepEqual({ action: a, command: c }, ASKING[to]);
      const again = transformed(pair, { action: a, command: c });
      assert.ok(again.action === a && again.command === c);
    });
  }
}

test("given an action that asks for nothing, or in both places, then it is the same two buffers", () => {
  const silent = { action: action({ salt: Buffer.from("s") }), command: command([]) };
  const both = { action: ASKING.list.action, command: ASKING.message.command };
  for (const pair of [between("list", "message"), between("message", "list")]) {
    for (const given of [silent, both]) {
      const after = transformed(pair, given);
      assert.ok(after.action === given.action && after.command === given.command);
    }
  }
});

test("names that are not sorted, or twice the same, are sorted and told once", () => {
  const given = { action: action({}), command: command(["x", "unix_mode", "mtime", "x"]) };
  assert.deepEqual(transformed(between("message", "list"), given).action, ASKING.list.action);
});

test("unknown fields of Action and Command survive where the request moves", () => {
  const extra = hex("a2 06 01 ff");
  const { action: a, command: c } = ASKING.message;
  const after = transformed(between("message", "list"), {
    action: Buffer.concat([a, extra]),
    command: Buffer.concat([c, extra]),
  });
  assert.deepEqual(after.action, Buffer.concat([ASKING.list.action, extra]));
  assert.deepEqual(after.command, Buffer.concat([ASKING.list.command, extra]));
});

test("given a message by hand, then each node has its attributes in the fields of the list", () => {
  // files {name "f", node_properties (6) {unix_mode 0644}}, symlinks {name "l", (4) {mtime}}, node_properties (5) {}
  const given = hex("0a 0a 0a 01 66 32 05 1a 03 08 a4 03 1a 09 0a 01 6c 22 04 12 02 08 01 2a 00");
  const pair = between("2.2", "2.1");
  const once = sent(pair, given);
  const unixMode = [{ name: "UnixMode", value: "0644" }];
  const mtime = [{ name: "MTime", value: "1970-01-01T00:00:01Z" }];
  assert.deepEqual(
    once,
    directory("2.1", {
      files: [{ name: "f", legacyNodeProperties: unixMode }],
      symlinks: [{ name: "l", legacyNodeProperties: mtime }],
    }),
  );
  assert.equal(sent(pair, once), once);
  // What was there but empty is absent on the way back.
  assert.deepEqual(sent(between("2.1", "2.2"), once), given.subarray(0, given.length - 2));
});

test("given a node that has attributes in both forms, then it serves readers of either and stays", () => {
  const given = hex("0a 0b 0a 01 66 2a 02 0a 00 32 02 1a 00");
  for (const pair of [between("2.2", "2.1"), between("2.1", "2.2")]) assert.equal(sent(pair, given), given);
});

test("fields of these numbers that are no messages are left alone", () => {
  const given = hex("0a 05 0a 01 66 30 01 20 01 28 01");
  for (const pair of [between("2.2", "2.1"), between("2.1", "2.2")]) assert.equal(sent(pair, given), given);
});

test("given attributes that the other form cannot express, then the node is named and what is wrong with it", () => {
  const withMode = (value: number) =>
    directory("2.2", { files: [{ name: 'a"b', nodeProperties: { unixMode: { value } } }] });
  const pair = between("2.2", "2.1");
  assert.throws(
    () => sent(pair, withMode(0o100644)),
    /^BridgeError: The attribute unix_mode of "a\\"b" \(API 2\.2\) was used, but the upstream "the server" speaks 2\.1 and reads attributes as pairs of text only, and it has more bits than four octal digits; have it in a form .* \[node-properties-unsupported, D31\]$/,
  );
  const legacyNodeProperties = [{ name: "MTime", value: "soon" }];
  for (const draft of [{ legacyNodeProperties }, { symlinks: [{ name: "l", legacyNodeProperties }] }])
    assert.throws(() => sent(between("2.1", "2.2"), directory("2.1", draft)), /node-properties-unsupported/);
});

test("given attributes in the node that leads to a directory, as in October 2019, then they are refused, not lost", () => {
  // directories {name "d", node_properties (3) {name "MTime"}}
  const given = hex("12 0c 0a 01 64 1a 07 0a 05 4d 54 69 6d 65");
  assert.throws(
    () => sent(between("2.1", "2.2"), given),
    /node_properties of a DirectoryNode .*November 2019/,
  );
  // A client of the message form knows nothing of that number.
  assert.equal(sent(between("2.2", "2.1"), given), given);
});

test("broken bytes are told as such", () => {
  for (const bytes of ["0a 05 0a", "0a 05 32 03 1a 05 08", "2a 02 12 09"])
    assert.throws(() => sent(between("2.2", "2.1"), hex(bytes)), { name: "WireError" });
});

const name = fc.stringMatching(/^[a-z]{1,4}$/);
const unknown = fc.constantFrom(Buffer.alloc(0), hex("a2 06 01 ff"), hex("a0 06 05"));
const directories = fc.record({
  files: fc.array(
    fc.record({
      name,
      digest: fc.constant(DIGEST),
      isExecutable: fc.boolean(),
      nodeProperties: someProperties,
    }),
    { maxLength: 4 },
  ),
  directories: fc.array(fc.record({ name, digest: fc.constant(DIGEST) }), { maxLength: 2 }),
  symlinks: fc.array(fc.record({ name, target: name, nodeProperties: someProperties }), { maxLength: 3 }),
  nodeProperties: someProperties,
});

test("a Directory is the same after a way there and back, a second edit changes nothing, and unknown fields survive", () => {
  const to = between("2.2", "2.1");
  const back = between("2.1", "2.2");
  fc.assert(
    fc.property(directories, unknown, (draft, extra) => {
      const given = Buffer.concat([directory("2.2", draft), extra]);
      const once = sent(to, given);
      assert.equal(sent(to, once), once);
      const returned = sent(back, once);
      assert.deepEqual(returned, given);
      assert.equal(sent(back, returned), returned);
      const { nodeProperties, files, symlinks } = codec("2.1").decode(`${V2}.Directory`, once);
      assert.deepEqual(
        [
          nodeProperties,
          ...files.map((file) => file.nodeProperties),
          ...symlinks.map((link) => link.nodeProperties),
        ].filter((one) => one !== null),
        [],
      );
      const none = [
        draft.nodeProperties,
        ...draft.files.map((file) => file.nodeProperties),
        ...draft.symlinks.map((link) => link.nodeProperties),
      ].every((one) => one === null);
      assert.equal(once === given, none, "the same buffer, where no node has attributes");
    }),
    { numRuns: 300 },
  );
});

test("bytes of any kind are edited, refused or left alone", () => {
  const pairs = [between("2.2", "2.1"), between("2.1", "2.2")];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...pairs), (bytes, pair) => {
      try {
        const once = sent(pair, Buffer.from(bytes));
        assert.equal(sent(pair, once), once);
      } catch (error) {
        assert.ok(["WireError", "BridgeError"].includes((error as Error).name), String(error));
      }
    }),
    { numRuns: 500 },
  );
});

/** What is refused of an action, and of a Directory with attributes as a message and one as a list. */
function refusals(pair: ReturnType<typeof plan>, asks: keyof typeof ASKING = "message"): string[] {
  const { action: a, command: c } = ASKING[asks];
  const attributed = [
    directory("2.2", { files: [{ name: "a", nodeProperties: { unixMode: { value: 1 } } }] }),
    directory("2.1", { files: [{ name: "a", legacyNodeProperties: [{ name: "x" }] }] }),
  ];
  return pair.checks
    .filter((check) =>
      check.in === "action" ? check.found(a, c) : attributed.some((bytes) => check.found(bytes)),
    )
    .map((check) => check.refusal().facts)
    .filter(({ feature }) => feature === "node-properties")
    .map(({ field, has }) => `${field}: ${has}`);
}

test("given a server without attributes, then all that uses them is refused, in each form", () => {
  const none = server({ level: "2018-11" });
  const drops = 'the upstream "the server" speaks 2018-11 and drops attributes';
  for (const form of PAIRS) {
    const forms = { "node-properties": { writes: [form] } };
    assert.deepEqual(refusals(plan(client({ forms }), none), form), [
      `output_node_properties: ${drops}`,
      `files[].node_properties: ${drops}`,
    ]);
    const off = plan(client({ forms }), none, { "node-properties": "off" });
    assert.deepEqual(refusals(off, form), []);
  }
  const inputs = client({ forms: { "node-properties": { writes: ["inputs"] } } });
  assert.deepEqual(refusals(plan(inputs, none)), [`files[].node_properties: ${drops}`]);
});

const attributes = (returned: string[], applied: string[] = ["mtime"]) => ({
  nodeAttributes: { applied, returned, evidence: "the test" },
});

test("given a server that is known not to return an attribute, then asking for it is refused by name, and inputs pass", () => {
  const some = (returned: string[]) => server({ facts: attributes(returned) });
  const speaks = 'the upstream "the server" speaks main and returns';
  assert.deepEqual(refusals(plan(client(), some([]))), [
    `output_node_properties: ${speaks} no attributes of outputs`,
  ]);
  assert.deepEqual(refusals(plan(client(), some(["mtime"]))), [
    `output_node_properties: ${speaks} only mtime of the attributes of outputs`,
  ]);
  for (const level of ["2.1", "2.2"] as const) {
    const all = plan(client({ level }), some(["mtime", "unix_mode", "x"]));
    assert.deepEqual(refusals(all, level === "2.1" ? "list" : "message"), []);
    assert.deepEqual(
      refusals(plan(client({ level }), some(["mtime"])), level === "2.1" ? "list" : "message").length,
      1,
    );
  }
  const inputs = client({ forms: { "node-properties": { writes: ["inputs", "none"] } } });
  assert.deepEqual(refusals(plan(inputs, some([]))), []);
});

test("given a server before 2.2 that neither applies nor returns any, then it counts as one without", () => {
  const pair = plan(client({ level: "2.2" }), server({ level: "2.0", facts: attributes([], []) }));
  assert.equal(refusals(pair).length, 2);
});

test("given a server that does not execute, then results are in the form of those who stored them", () => {
  const cache = server({
    level: "2.1",
    missingMethods: ["/build.bazel.remote.execution.v2.Execution/Execute"],
  });
  assert.ok(plan(client({ level: "2.2" }), server({ level: "2.1" })).content.some(({ result }) => result));
  assert.ok(
    !plan(client({ level: "2.2" }), cache).decisions.some(
      ({ feature, from }) => feature === "node-properties" && from === "list",
    ),
  );
});

test("a client that asks for nothing and reads nothing costs results nothing", () => {
  const bazel = client({ forms: { "node-properties": { reads: ["none"], writes: ["inputs", "none"] } } });
  const { content, pair } = plan(bazel, server({ level: "2.1" }));
  assert.ok(content.some(({ directory: hook }) => hook !== undefined));
  assert.equal(pair.client, bazel);
  for (const level of LEVELS) {
    const { decisions } = plan(bazel, server({ level }));
    const back = decisions.filter(
      ({ feature, direction }) => feature === "node-properties" && direction === "toClient",
    );
    assert.ok(
      back.every(({ verdict }) => verdict === "native" || verdict === "pass"),
      level,
    );
  }
});
