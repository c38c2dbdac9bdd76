import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import type { ServerFacts } from "../../../src/peers/profile.ts";
import { loadProfiles } from "../../../src/peers/read-profile.ts";
import { serverFacts, unknownServer } from "../../../src/peers/server-dialect.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { EXECUTE } from "../../../src/translators/methods.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { clientBefore, serverDialect } from "../../support/known-peers.ts";
import { hex } from "../../unit/wire/support.ts";
import { messages, readAction, readCommand, refused } from "../actions.ts";
import { client, plan, server, transformed } from "../support.ts";

type Table = Omit<NonNullable<ServerFacts["platformTable"]>, "evidence">;

const evidence = "the test";
const BOTH = { "action-platform": { reads: ["action", "command"] } };

function withTable(platformTable: Table, forms = BOTH): Plan {
  return plan(client(), server({ forms, facts: { platformTable: { ...platformTable, evidence } } }));
}

type Properties = readonly (readonly [name: string, value: string])[];

const platform = (...properties: Properties) => ({
  properties: properties.map(([name, value]) => ({ name, value })),
});

/** The properties of the upstream's Action and Command, as `name=value`. */
function properties(pair: Plan, ...given: Parameters<typeof messages>) {
  const { action, command } = transformed(pair, messages(...given));
  const texts = (of: ReturnType<typeof readAction>["platform"]) =>
    of?.properties.map(({ name, value }) => `${name}=${value}`) ?? null;
  return { action: texts(readAction(action).platform), command: texts(readCommand(command).platform) };
}

/** The same of an Action with these properties. */
function mapped(table: Table, ...given: Properties): readonly string[] | null {
  return properties(withTable(table), { platform: platform(...given) }).action;
}

test("given a server without a table, then nobody looks at properties, and calls stay in the relay lane", () => {
  const { methods, content } = plan(client(), server());
  assert.equal(methods.get(EXECUTE), undefined);
  assert.equal(content.length, 0);
});

test("a property gets another name, and the result is sorted", () => {
  const change = [{ name: "OSFamily", newName: "os" }];
  assert.deepEqual(mapped({ change }, ["OSFamily", "linux"], ["cpu", "arm"]), ["cpu=arm", "os=linux"]);
});

test("a value becomes another, whatever its case, or only in the case that is given", () => {
  const value = { name: "OSFamily", value: "linux", newValue: "Linux" };
  assert.deepEqual(mapped({ change: [value] }, ["OSFamily", "linux"]), ["OSFamily=Linux"]);
  assert.deepEqual(mapped({ change: [value] }, ["OSFamily", "LINUX"]), ["OSFamily=LINUX"]);
  const anyCase = [{ ...value, anyCase: true, newName: "OSFamily" }];
  assert.deepEqual(mapped({ change: anyCase }, ["osfamily", "LINUX"]), ["OSFamily=Linux"]);
});

test("a value becomes lower or upper case", () => {
  const change = [
    { name: "OSFamily", valueCase: "lower" },
    { name: "ISA", valueCase: "upper" },
  ] as const;
  assert.deepEqual(mapped({ change }, ["ISA", "arm"], ["OSFamily", "Linux"]), ["ISA=ARM", "OSFamily=linux"]);
});

test("the first entry that fits counts", () => {
  const change = [
    { name: "pool", value: "a", newValue: "first" },
    { name: "pool", newValue: "second" },
  ];
  assert.deepEqual(mapped({ change }, ["pool", "a"], ["pool", "b"]), ["pool=first", "pool=second"]);
});

test("properties that become the same are one", () => {
  const change = [{ name: "os", newName: "OSFamily", valueCase: "lower" }] as const;
  assert.deepEqual(mapped({ change }, ["OSFamily", "linux"], ["os", "Linux"]), ["OSFamily=linux"]);
});

test("a property is dropped, or only with one value", () => {
  assert.deepEqual(mapped({ drop: [{ name: "a" }] }, ["a", "1"], ["b", "2"]), ["b=2"]);
  assert.deepEqual(mapped({ drop: [{ name: "a", value: "1" }] }, ["a", "1"], ["a", "2"]), ["a=2"]);
  // A platform without properties is still one.
  assert.deepEqual(mapped({ drop: [{ name: "a" }] }, ["a", "1"]), []);
});

test("a property is added where no other has its name", () => {
  const add = [{ name: "Pool", value: "default" }];
  assert.deepEqual(mapped({ add }, ["OSFamily", "linux"]), ["OSFamily=linux", "Pool=default"]);
  assert.deepEqual(mapped({ add }, ["Pool", "mine"]), ["Pool=mine"]);
});

test("what is added is added where the server looks, even if there is no platform yet", () => {
  const table = { add: [{ name: "Pool", value: "default" }] };
  const reads = (...places: string[]) => withTable(table, { "action-platform": { reads: places } });
  const added = ["Pool=default"];
  assert.deepEqual(properties(reads("action"), {}), { action: added, command: null });
  assert.deepEqual(properties(reads("command"), {}), { action: null, command: added });
  assert.deepEqual(properties(reads("action", "command"), {}), { action: null, command: added });
  const inAction = { platform: platform(["a", "1"]) };
  assert.deepEqual(properties(reads("action", "command"), inAction).command, null);
  // An empty platform in the Action, which for a reader of the Command means none there.
  assert.deepEqual(properties(reads("command"), { platform: {} }).command, added);
});

test("both platforms of an action are mapped, and stay the same", () => {
  const pair = withTable({ drop: [{ name: "a" }] });
  const both = platform(["a", "1"], ["b", "2"]);
  assert.deepEqual(properties(pair, { platform: both }, { platform: both }), {
    action: ["b=2"],
    command: ["b=2"],
  });
});

test("a property that the table refuses is refused by name, with the reason", () => {
  const why = "there are no workers with graphics";
  const pair = withTable({ refuse: [{ name: "gpu", why }] });
  const error = refused(pair, messages({ platform: platform(["gpu", "1"]) }));
  assert.deepEqual(
    [error.facts.code, error.facts.feature, error.facts.drift, error.facts.field],
    ["platform-unsupported", "platform-lexicon", "D37", "platform"],
  );
  assert.match(
    error.message,
    /^The platform property "gpu" was used, .*no workers with graphics; have the client/,
  );
  const value = withTable({ refuse: [{ name: "gpu", value: "B200", why }] });
  assert.match(
    refused(value, messages({}, { platform: platform(["gpu", "B200"]) })).message,
    /^The platform property "gpu" with the value "B200"/,
  );
  const other = messages({ platform: platform(["gpu", "A100"]) });
  assert.equal(transformed(value, other).action, other.action);
});

test("what no entry fits is the very buffer, sorted or not", () => {
  const pair = withTable({ drop: [{ name: "x" }], change: [{ name: "y", newName: "z" }] });
  const given = messages({ platform: platform(["b", "1"], ["a", "2"]) }, { platform: platform(["a", "1"]) });
  const { action, command } = transformed(pair, given);
  assert.equal(action, given.action);
  assert.equal(command, given.command);
});

test("unknown fields survive in the property, its platform and around it", () => {
  // Action.10: Platform {1: {name "a", value "1", 15: 7}, 15: 7}, then 99: "q".
  const action = hex("52 0c 0a 08 0a 01 61 12 01 31 78 07 78 07 9a 06 01 71");
  const pair = withTable({ change: [{ name: "a", newName: "b" }] });
  assert.deepEqual(
    transformed(pair, { action, command: Buffer.alloc(0) }).action,
    hex("52 0c 0a 08 0a 01 62 12 01 31 78 07 78 07 9a 06 01 71"),
  );
});

test("BuildStream's need of a root is said where the server has a property for it, and passes elsewhere", () => {
  const at = (name: string) => {
    const to = serverDialect(name);
    return plan(clientBefore("buildstream@2.3", to), to);
  };
  const given = { platform: platform(["OSFamily", "linux"]) };
  const expected = ["OSFamily=linux", "dockerChrootPath=."];
  assert.deepEqual(properties(at("google-rbe"), given, given).command, expected);
  const own = { platform: platform(["dockerChrootPath", "sub"]) };
  assert.deepEqual(properties(at("google-rbe"), own, own).command, ["dockerChrootPath=sub"]);
  assert.deepEqual(properties(at("buildbarn"), given, given).action, ["OSFamily=linux"]);
  const bazel = plan(clientBefore("bazel@9", serverDialect("google-rbe")), serverDialect("google-rbe"));
  assert.ok(!bazel.methods.get(EXECUTE)?.features.includes("platform-lexicon"));
});

function withProfile(t: TestContext, facts: object): Plan {
  const folder = mkdtempSync(join(tmpdir(), "table-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "ours.json");
  const ours = { role: "server", peer: "ours", title: "Ours", extends: "buildbarn@2026-03-26" };
  writeFileSync(file, JSON.stringify({ ...ours, ranges: [{ facts }] }));
  const line = loadProfiles([file]).resolve("server", "ours");
  return plan(
    client(),
    resolveDialect(serverFacts({ ...unknownServer("ours"), configured: line }), TRANSLATORS),
  );
}

test("given Bazel 9.1 at an exact matcher whose operator drops its property, then the workers' set is left", (t) => {
  const drop = [{ name: "persistentWorkerProtocol" }];
  const pair = withProfile(t, { platformTable: { drop, evidence } });
  const asked = platform(["OSFamily", "linux"], ["persistentWorkerProtocol", "json"]);
  assert.deepEqual(properties(pair, { platform: asked }, { platform: asked }).action, ["OSFamily=linux"]);
});

test("a table of an operator's says what it can do, and nothing else", (t) => {
  assert.throws(() => withProfile(t, { platformTable: { rename: [], evidence } }), /platformTable.*rename/s);
  assert.throws(() => withProfile(t, { platformTable: { refuse: [{ name: "a" }], evidence } }), /why/);
});

test("platforms of any kind are mapped, refused or left alone, and a second time changes nothing", () => {
  const name = fc.constantFrom("a", "b", "A", "é", "");
  const given = fc.array(fc.tuple(name, name), { maxLength: 6 });
  const pair = withTable({
    drop: [{ name: "é" }],
    change: [{ name: "a", anyCase: true, newName: "c", valueCase: "lower" }],
    add: [{ name: "d", value: "e" }],
  });
  fc.assert(
    fc.property(given, given, (inAction, inCommand) => {
      const once = transformed(
        pair,
        messages({ platform: platform(...inAction) }, { platform: platform(...inCommand) }),
      );
      const after = readAction(once.action).platform?.properties.map(
        ({ name: of, value }) => `${of}\0${value}`,
      );
      assert.deepEqual(after, [...new Set(after)].sort());
      const twice = transformed(pair, once);
      assert.equal(twice.action, once.action);
      assert.equal(twice.command, once.command);
    }),
    { numRuns: 200 },
  );
});
