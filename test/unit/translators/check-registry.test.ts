import assert from "node:assert/strict";
import { test } from "node:test";
import type { Support } from "../../../src/peers/dialect.ts";
import type { ElementId } from "../../../src/spec/ledger.ts";
import { registryProblems } from "../../../src/translators/check-registry.ts";
import { pass } from "../../../src/translators/declare.ts";
import { READ } from "../../../src/translators/methods.ts";
import { checked } from "../../../src/translators/registry.ts";
import type { Translate, Translator } from "../../../src/translators/translator.ts";

const SUPPORT: Support = { reads: ["a"], writes: ["a"], evidence: { source: "assumed", note: "a test" } };
const PASS = pass("nothing happens in a test");
const EDIT: Translate = { kind: "translate", methods: { [READ]: { request: () => null } } };

function translator(id: string, more: Partial<Translator> = {}): Translator {
  return {
    feature: { id, title: "A", since: "2.0", drift: ["D01"], why: "Why.", forms: { a: "one", b: "another" } },
    owns: [],
    after: [],
    clientAhead: "",
    serverAhead: "",
    support: () => null,
    assume: { client: SUPPORT, server: SUPPORT },
    toServer: PASS,
    toClient: PASS,
    ...more,
  };
}

function problems(...translators: Translator[]): string[] {
  return registryProblems(translators, []);
}

test("a feature that comes twice", () => {
  assert.deepEqual(problems(translator("x"), translator("x")), ["there are two features called x"]);
});

test("an order that names what does not exist", () => {
  assert.deepEqual(problems(translator("x", { after: ["y"] })), ["x runs after y, which does not exist"]);
});

test("a circle is shown", () => {
  assert.deepEqual(problems(translator("x", { after: ["y"] }), translator("y", { after: ["x"] })), [
    "features run after each other: x → y → x",
  ]);
});

test("a direction without a step for one form", () => {
  assert.deepEqual(problems(translator("x", { toServer: { a: { b: PASS } } })), [
    "x: toServer has no step from b to a",
  ]);
  assert.deepEqual(problems(translator("x", { toClient: { b: { a: PASS } } })), [
    "x: toClient has no step from a to b",
  ]);
});

test("a form that is not listed", () => {
  const steps = { a: { b: PASS, c: PASS }, b: { a: PASS } };
  assert.deepEqual(problems(translator("x", { toServer: steps })), [
    "x: toServer names the form c, which it does not list",
  ]);
  const assume = { client: SUPPORT, server: { ...SUPPORT, reads: ["c"] } };
  assert.deepEqual(problems(translator("x", { assume })), ["x: assumes the form c, which it does not list"]);
});

test("two hooks in one place have to say which runs first", () => {
  const steps = { a: { b: EDIT }, b: { a: PASS } };
  const first = translator("x", { toServer: steps });
  assert.deepEqual(problems(first, translator("y", { toServer: steps })), [
    "x and y both hook the request of ByteStream/Read; one must name the other in after",
  ]);
  assert.deepEqual(problems(first, translator("y", { toServer: steps, after: ["x"] })), []);
  const between = translator("z", { after: ["x"] });
  assert.deepEqual(problems(first, between, translator("y", { toServer: steps, after: ["z"] })), []);
});

test("two rewriters of one header have to say so as well", () => {
  const header: Translate = { kind: "translate", metadata: { name: "h", rewrite: () => null } };
  const steps = { a: { b: header }, b: { a: PASS } };
  assert.deepEqual(problems(translator("x", { toServer: steps }), translator("y", { toServer: steps })), [
    "x and y both hook the header h; one must name the other in after",
  ]);
});

test("an entry of the ledger that nobody owns, that two own, or that does not exist", () => {
  const argv0: ElementId = "behaviour:argv0";
  assert.deepEqual(registryProblems([translator("x")], [argv0]), ["nobody owns behaviour:argv0"]);
  const owner = { owns: [argv0] };
  assert.deepEqual(registryProblems([translator("x", owner), translator("y", owner)], [argv0]), [
    "behaviour:argv0 is owned by x and y",
  ]);
  assert.deepEqual(problems(translator("x", owner)), ["x owns behaviour:argv0, which is not in the ledger"]);
});

test("a set that does not fit together is not started", () => {
  assert.throws(() => checked([]), /^Error: the translators do not fit together:\n/);
});
