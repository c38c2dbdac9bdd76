import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { allElements, type ElementId, knows, ledgerEntry, since } from "../../../src/spec/ledger.ts";
import { isLevel, LEVELS } from "../../../src/spec/versions.ts";

const V2 = "build.bazel.remote.execution.v2";

interface Fact {
  kind: string;
  introduced: string;
  removed: string | null;
  renamedTo?: string;
}

function read(path: string): object {
  return JSON.parse(readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8"));
}

const { elements: history } = read("spec-data/schema-history.json") as { elements: Record<string, Fact> };

describe("the ledger", () => {
  it("has every field, enum value and method of the API, under its name or the one it was renamed to", () => {
    const elements = new Set<string>(allElements());
    for (const [name, { kind, renamedTo }] of Object.entries(history)) {
      if (["field", "enumValue", "method"].includes(kind)) assert.ok(elements.has(renamedTo ?? name), name);
    }
  });

  it("agrees with the history on what each version has", () => {
    for (const [name, fact] of Object.entries(history)) {
      const isElement = ["field", "enumValue", "method"].includes(fact.kind);
      const isOneForm = !allElements().some((id) => id.startsWith(`${name}@`));
      if (!isElement || fact.renamedTo !== undefined || !isOneForm) continue;
      const entry = ledgerEntry(name as ElementId);
      const oldest = entry.formerly?.map((old) => history[old]?.introduced)[0] ?? fact.introduced;
      assert.equal(entry.since, oldest, name);
      assert.equal(entry.until ?? null, fact.removed, name);
    }
  });

  it("names only levels, and drift items that exist", () => {
    const drift = read("spec-data/drift.json");
    for (const element of allElements()) {
      const { since: first, until, drift: items = [], kind, title } = ledgerEntry(element);
      assert.ok(isLevel(first) && (until === undefined || isLevel(until)), element);
      for (const item of items) assert.ok(item in drift, `${element}: ${item}`);
      assert.equal(title !== undefined, kind === "behaviour", element);
    }
  });

  it("has all of ByteStream and Operations, each with its drift item, since the oldest level", () => {
    const google = allElements().filter((element) => element.startsWith("google."));
    for (const element of google) {
      assert.ok(ledgerEntry(element).drift?.length, element);
      assert.equal(since(element), "2018-11", element);
    }
    const methods = google.filter((element) => ledgerEntry(element).kind === "method");
    assert.equal(methods.length, 8);
    assert.ok(google.includes("google.bytestream.WriteResponse.committed_size"));
    assert.ok(google.includes("google.longrunning.Operation.response"));
  });

  it("has a drift item for every element that is younger than the oldest level", () => {
    const orphans = allElements().filter((id) => since(id) !== "2018-11" && !ledgerEntry(id).drift);
    assert.deepEqual(orphans, []);
  });
});

describe("knows and since", () => {
  it("go by the version that introduced an element", () => {
    const element = `${V2}.Command.output_paths` as const;
    assert.equal(since(element), "2.1");
    assert.deepEqual(
      LEVELS.filter((level) => !knows(level, element)),
      ["2018-11", "2.0"],
    );
    assert.deepEqual(ledgerEntry(element).drift, ["D24"]);
  });

  it("go by the wire where only a name changed (D04)", () => {
    const element = `${V2}.CacheCapabilities.digest_functions` as const;
    assert.ok(knows("2018-11", element));
    assert.deepEqual(ledgerEntry(element).formerly, [`${V2}.CacheCapabilities.digest_function`]);
    assert.ok(knows("2018-11", `${V2}.DigestFunction.Value.SHA256`));
    assert.ok(!knows("2018-11", `${V2}.DigestFunction.Value.VSO`));
  });

  it("keep the forms of a renumbered field apart (D31)", () => {
    const [old, newer] = [`${V2}.FileNode.node_properties@5`, `${V2}.FileNode.node_properties`] as const;
    assert.deepEqual([knows("2018-11", old), knows("2.1", old), knows("2.2", old)], [false, true, false]);
    assert.deepEqual([knows("2.1", newer), knows("2.2", newer), knows("main", newer)], [false, true, true]);
  });

  it("know behaviours that no schema shows", () => {
    assert.equal(since("behaviour:argv0"), "2.3");
    assert.equal(since("behaviour:committed-size"), "2.3");
    assert.equal(since("behaviour:read-limit"), "2.3");
    assert.equal(since("behaviour:resource-name-header"), "2.12");
    assert.ok(knows("2.1", "behaviour:property-lexicon") && !knows("2.2", "behaviour:property-lexicon"));
  });

  it("refuse a name the ledger lacks instead of calling it unknown to every level", () => {
    assert.throws(
      () => since("behaviour:argv1" as ElementId),
      /the ledger has no element called behaviour:argv1/,
    );
    assert.throws(() => knows("main", "constructor" as ElementId), RangeError);
  });
});
