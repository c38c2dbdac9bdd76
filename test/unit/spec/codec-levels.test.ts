/** What the codec of a level knows. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { codec, type MessageName } from "../../../src/spec/codec.ts";
import { allElements, type ElementId, knows, ledgerEntry } from "../../../src/spec/ledger.ts";
import { LEVELS } from "../../../src/spec/versions.ts";
import { bytes, field, fixed64, varintField } from "./wire-bytes.ts";

const V2 = "build.bazel.remote.execution.v2";

describe("codec(level)", () => {
  it("is the newest one by default, and one per level", () => {
    assert.equal(codec().level, "main");
    assert.equal(codec("main"), codec());
    assert.notEqual(codec("2.0"), codec());
    assert.throws(() => codec("2.13" as "2.12"), RangeError);
  });

  it("treats a later field as unknown: default when read, kept when written", () => {
    const wire = bytes(field(1, "cc"), field(7, "out"));
    const old = codec("2.0").decode(`${V2}.Command`, wire);
    assert.deepEqual(old.outputPaths, []);
    assert.deepEqual(codec("2.0").encode(`${V2}.Command`, old), wire);
    assert.deepEqual(codec("2.1").decode(`${V2}.Command`, wire).outputPaths, ["out"]);
  });

  it("does not write a field of a later level", () => {
    const draft = { arguments: ["cc"], outputPaths: ["out"] };
    assert.deepEqual(codec("2.0").encode(`${V2}.Command`, draft), field(1, "cc"));
  });

  it("cannot be told to hold a later field by pushing to its default", () => {
    const old = codec("2.0").decode(`${V2}.Command`, Buffer.alloc(0));
    assert.throws(() => old.outputPaths.push("lost"), TypeError);
  });

  it("has both forms of node properties, each at its levels (D31)", () => {
    const legacy = field(4, bytes(field(1, "MTime"), field(2, "2020-01-01T00:00:00Z")));
    const newer = field(5, field(3, varintField(1, 0o644n)));
    const name = `${V2}.Directory` as const;
    const at21 = codec("2.1").decode(name, bytes(legacy, newer));
    assert.deepEqual(
      at21.legacyNodeProperties.map((property) => property.name),
      ["MTime"],
    );
    assert.equal(at21.nodeProperties, null);
    const at22 = codec("2.2").decode(name, bytes(legacy, newer));
    assert.deepEqual(at22.legacyNodeProperties, []);
    assert.equal(at22.nodeProperties?.unixMode?.value, 0o644);
    assert.deepEqual(codec("2.1").encode(name, at21), bytes(legacy, newer));
  });

  it("has Action.output_node_properties from 2.0 to 2.1 (D30)", () => {
    const wire = field(8, "MTime");
    const read = (level: (typeof LEVELS)[number]): string[] =>
      codec(level).decode(`${V2}.Action`, wire).outputNodeProperties;
    assert.deepEqual(read("2018-11"), []);
    assert.deepEqual(read("2.0"), ["MTime"]);
    assert.deepEqual(read("2.1"), ["MTime"]);
    assert.deepEqual(read("2.2"), []);
  });

  it("has renamed fields at all levels, under their newest names (D04)", () => {
    const decoded = codec("2018-11").decode(`${V2}.CacheCapabilities`, field(1, Buffer.from([1])));
    assert.deepEqual(decoded.digestFunctions, [1]);
  });

  it("knows, at every level, exactly the fields the ledger says", () => {
    const history = JSON.parse(
      readFileSync(new URL("../../../spec-data/schema-history.json", import.meta.url), "utf8"),
    );
    for (const level of LEVELS) {
      for (const element of allElements().filter((id) => ledgerEntry(id).kind === "field")) {
        if (element.startsWith("google.")) continue;
        const [name, message, number] = locate(history.elements, element);
        // A field that is known with wire type 0, 1 or 2 is not kept as an unknown one in at least one of the three.
        const probes = [varintField(number, 1n), fixed64(number, 1n), field(number, "")];
        const unknown = probes.every((probe) => {
          const decoded = codec(level).decode(message, probe) as { $unknowns?: unknown[] };
          return decoded.$unknowns?.length === 1;
        });
        assert.equal(!unknown, knows(level, element), `${name} at ${level}`);
      }
    }
  });
});

/** The message and number of a ledger field. */
function locate(
  elements: Record<string, { message: string; number: number }>,
  element: ElementId,
): [string, MessageName, number] {
  const [name, number] = element.split("@") as [string, string?];
  const fact = elements[name];
  assert.ok(fact, `${name} is in the history`);
  return [element, fact.message as MessageName, Number(number ?? fact.number)];
}
