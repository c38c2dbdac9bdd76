import assert from "node:assert/strict";
import { test } from "node:test";
import type { Claim, PeerFacts } from "../../../src/peers/dialect.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";

const LEVEL = { value: "2.0", evidence: { source: "advertised", note: "high_api_version 2.0" } } as const;
const FACTS: PeerFacts = {
  role: "server",
  name: "farm",
  level: LEVEL,
  digestFunctions: [],
  missingMethods: [],
  claims: [],
};

function claim(forms: Partial<Claim>): Claim {
  return { feature: "output-paths", evidence: { source: "profile", note: "buildfarm@2.15" }, ...forms };
}

test("a level says which forms a peer has", () => {
  assert.deepEqual(resolveDialect(FACTS, TRANSLATORS).features["output-paths"], {
    reads: ["lists"],
    writes: ["lists"],
    evidence: LEVEL.evidence,
  });
});

test("a claim counts more than a level, and each for what it says", () => {
  const facts = { ...FACTS, claims: [claim({ reads: ["paths", "lists"] })] };
  assert.deepEqual(resolveDialect(facts, TRANSLATORS).features["output-paths"], {
    reads: ["paths", "lists"],
    writes: ["lists"],
    evidence: { source: "profile", note: "buildfarm@2.15" },
  });
});

test("the first of two claims counts", () => {
  const facts = { ...FACTS, claims: [claim({ reads: ["paths"] }), claim({ reads: ["lists"] })] };
  assert.deepEqual(resolveDialect(facts, TRANSLATORS).features["output-paths"]?.reads, ["paths"]);
});

test("of a peer that says nothing, what is right for every one is assumed", () => {
  const dialect = resolveDialect({ ...FACTS, level: null }, TRANSLATORS);
  assert.equal(dialect.version, null);
  assert.deepEqual(dialect.features["output-paths"]?.reads, ["lists"]);
  assert.equal(dialect.features["output-paths"]?.evidence.source, "assumed");
});

test("claims about what does not exist name where they come from", () => {
  const facts = (wrong: Claim): PeerFacts => ({ ...FACTS, claims: [wrong] });
  assert.throws(() => resolveDialect(facts(claim({ feature: "outputs" })), TRANSLATORS), {
    message: "buildfarm@2.15: there is no feature called outputs",
  });
  assert.throws(() => resolveDialect(facts(claim({ feature: "output-path" })), TRANSLATORS), {
    message: 'buildfarm@2.15: there is no feature called output-path; did you mean "output-paths"?',
  });
  assert.throws(() => resolveDialect(facts(claim({ reads: [] })), TRANSLATORS), {
    message:
      "buildfarm@2.15: output-paths needs a form to read and to write; its forms are lists, paths, each",
  });
  assert.throws(() => resolveDialect(facts(claim({ reads: ["files"] })), TRANSLATORS), {
    message: "buildfarm@2.15: output-paths has no form called files; its forms are lists, paths, each",
  });
});
