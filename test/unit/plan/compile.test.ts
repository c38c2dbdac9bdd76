import assert from "node:assert/strict";
import { test } from "node:test";
import type { Support } from "../../../src/peers/dialect.ts";
import { compilePlan } from "../../../src/plan/compile.ts";
import type { Policy } from "../../../src/plan/plan.ts";
import { editMetadata, editResponse } from "../../../src/plan/run-hooks.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { LEVELS } from "../../../src/spec/versions.ts";
import { pass } from "../../../src/translators/declare.ts";
import {
  EXECUTE,
  FIND_MISSING_BLOBS,
  GET_ACTION_RESULT,
  GET_CAPABILITIES,
  GET_TREE,
  READ,
  SPLIT_BLOB,
} from "../../../src/translators/methods.ts";
import { inOrder } from "../../../src/translators/order.ts";
import type { Step, Translator } from "../../../src/translators/translator.ts";
import { call, client, plan, server } from "../../translators/support.ts";

const OLD: Support = { reads: ["old"], writes: ["old"], evidence: { source: "profile", note: "a test" } };
const NEW: Support = { reads: ["new"], writes: ["new"], evidence: { source: "profile", note: "a test" } };

/** A feature whose client writes the new form for a server of the old one. */
function feature(id: string, step: Step, more: Partial<Translator> = {}): Translator {
  const steps = { new: { old: step }, old: { new: pass("nothing is to be done in a test") } };
  return {
    feature: { id, title: "A", since: "2.5", drift: ["D01"], why: "Why.", forms: { old: "old", new: "new" } },
    owns: [],
    after: [],
    clientAhead: "",
    serverAhead: "",
    support: () => null,
    assume: { client: NEW, server: OLD },
    toServer: steps,
    toClient: pass("nothing is to be done in a test"),
    ...more,
  };
}

function compile(translators: readonly Translator[], policy: Policy = {}, missingMethods: string[] = []) {
  const peer = { name: "peer", version: null, digestFunctions: [], missingMethods, features: {}, facts: {} };
  const pair = { client: { ...peer, role: "client" }, server: { ...peer, role: "server" } } as const;
  return compilePlan(pair, policy, inOrder(translators));
}

/** A hook that adds a letter to what it sees. */
const adds = (letter: string) => (message: Buffer) => [message, Buffer.from(letter)];

test("hooks run in order to the server, and in reverse to the client", async () => {
  const step = (letter: string): Step => ({
    kind: "translate",
    methods: { [FIND_MISSING_BLOBS]: { request: adds(letter), response: adds(letter) } },
  });
  const { methods } = compile([feature("b", step("b"), { after: ["a"] }), feature("a", step("a"))]);
  const method = methods.get(FIND_MISSING_BLOBS)!;
  assert.deepEqual(method.features, ["a", "b"]);
  assert.equal(method.lane, "translate");
  assert.equal((await editResponse(method, Buffer.from("-"), call(FIND_MISSING_BLOBS))).toString(), "-ba");
});

test("the newest feature comes first where nothing else is said", () => {
  const ids = inOrder([
    feature("old", pass("")),
    feature("new", pass(""), { feature: { ...feature("new", pass("")).feature, since: "2.12" } }),
    feature("ahead", pass(""), { feature: { ...feature("ahead", pass("")).feature, since: "ahead" } }),
  ]).map((translator) => translator.feature.id);
  assert.deepEqual(ids, ["ahead", "new", "old"]);
});

test("a head and a scan leave a call in the relay lane", () => {
  const step: Step = {
    kind: "translate",
    methods: { [READ]: { head: { field: 1, rewrite: (value) => value } } },
  };
  assert.equal(compile([feature("a", step)]).methods.get(READ)?.lane, "relay");
});

test("an answer makes a call local, a lens the question for capabilities", () => {
  const step: Step = { kind: "translate", methods: { [READ]: { answer: async () => null } } };
  const { methods, lenses } = compile([feature("a", step, { announce: ({ bytes }) => [bytes] })]);
  assert.equal(methods.get(READ)?.lane, "local");
  assert.equal(methods.get(GET_CAPABILITIES)?.lane, "local");
  assert.equal(lenses.length, 1);
});

test("what edits results opens the calls that carry them", () => {
  const step: Step = { kind: "translate", content: { result: () => null } };
  const { methods } = compile([feature("a", step)]);
  for (const path of [EXECUTE, GET_ACTION_RESULT]) assert.equal(methods.get(path)?.lane, "translate");
  assert.equal(methods.get(FIND_MISSING_BLOBS), undefined);
});

test("what is opt-in passes, unless it is required", () => {
  const step: Step = {
    kind: "translate",
    methods: { [READ]: { request: adds("a") } },
    optIn: "safe as it is",
  };
  const translators = [feature("a", step)];
  assert.equal(compile(translators).methods.get(READ), undefined);
  assert.equal(compile(translators).decisions[0]?.why, "safe as it is");
  assert.equal(compile(translators, { a: "require" }).methods.get(READ)?.lane, "translate");
});

test("what is opt-in may be refused without, and is translated where it is required", () => {
  const used = { what: "A thing", element: null, text: null, found: () => true };
  const optIn: Step = {
    kind: "reject",
    code: "action-unsupported",
    has: "has none",
    fix: "require it",
    uses: [{ in: "action", used }],
  };
  const translators = [feature("a", { kind: "translate", content: { action: () => null }, optIn })];
  const refused = compile(translators);
  assert.deepEqual(refused.decisions[0]?.verdict, "reject");
  assert.deepEqual([refused.checks.length, refused.content.length], [1, 0]);
  const required = compile(translators, { a: "require" });
  assert.deepEqual(required.decisions[0]?.verdict, "translate");
  assert.deepEqual([required.checks.length, required.content.length], [0, 1]);
});

test("of forms that a client writes all at once, those that nobody reads pass", () => {
  const refusal: Step = {
    kind: "reject",
    code: "action-unsupported",
    has: "has none",
    fix: "use the old one",
    uses: [{ in: "action", used: { what: "A thing", element: null, text: null, found: () => true } }],
  };
  const both: Support = { ...NEW, writes: ["new", "old"] };
  const translators = [feature("a", refusal)];
  const planFor = (support: Support) => {
    const pair = {
      client: { ...client(), features: { a: support } },
      server: { ...server(), features: { a: OLD } },
    };
    return compilePlan(pair, {}, translators);
  };
  assert.equal(planFor(both).checks.length, 1);
  const { checks, decisions } = planFor({ ...both, together: true });
  assert.equal(checks.length, 0);
  const decision = decisions.find(({ from, direction }) => from === "new" && direction === "toServer");
  assert.deepEqual([decision?.to, decision?.verdict], ["old", "pass"]);
  // Alone, it is refused all the same.
  assert.equal(planFor({ ...NEW, together: true }).checks.length, 1);
});

test("a method is refused on good evidence only; a version number lets the server speak for itself", () => {
  const refusal = (source: "profile" | "configured" | "probed" | "advertised" | "assumed") =>
    plan(client(), server({ level: "2.0", source })).methods.get(SPLIT_BLOB)?.refusal ?? null;
  for (const source of ["profile", "configured", "probed"] as const) assert.notEqual(refusal(source), null);
  for (const source of ["advertised", "assumed"] as const) assert.equal(refusal(source), null);
});

test("a method that the server is known to lack is refused by name, for its owner", () => {
  const { methods } = plan(client(), server({ missingMethods: [GET_TREE] }));
  const { lane, features, refusal } = methods.get(GET_TREE)!;
  assert.deepEqual([lane, features], ["reject", ["get-tree"]]);
  assert.match(refusal!().message, /^The method GetTree \(API 2018-11\) was used, but .* does not have it; /);
});

test("it is not refused where the bridge answers in its place", () => {
  const step: Step = { kind: "translate", methods: { [READ]: { answer: async () => null } } };
  const owner = feature("a", step, { owns: ["google.bytestream.ByteStream.Read"] });
  assert.equal(compile([owner], {}, [READ]).methods.get(READ)?.lane, "local");
});

test("it is left alone where the policy says so, and methods that nobody knows always are", () => {
  const to = server({ missingMethods: [GET_TREE, "/vendor.Service/Method"] });
  assert.deepEqual([...plan(client(), to, { "get-tree": "off" }).methods.keys()], []);
});

test("a refusal names both sides and the way out", () => {
  const { methods } = plan(client(), server({ level: "2.0", source: "profile" }));
  const error = methods.get(SPLIT_BLOB)!.refusal!();
  assert.ok(error instanceof BridgeError);
  assert.equal(
    error.message,
    'SplitBlob or SpliceBlob (API 2.12) was used, but the upstream "the server" speaks 2.0 and does not have it; ' +
      "turn chunking off in the client, or have the bridge serve it with the policy `chunking: require` [method-unsupported, D22]",
  );
});

test("every form of every pair of levels has a decision", () => {
  for (const from of LEVELS) {
    for (const to of LEVELS) {
      for (const { feature: id, verdict, why } of plan(client({ level: from }), server({ level: to }))
        .decisions) {
        assert.equal(why === "", verdict === "native", `${id} from ${from} to ${to}`);
      }
    }
  }
});

test("of several forms a server reads, the first one that is not refused is taken", () => {
  const used = { what: "It", element: null, text: null };
  const reject: Step = {
    kind: "reject",
    code: "request-unsupported",
    has: "reads two other forms",
    fix: "do not",
    uses: [{ in: "call", methods: [READ], used }],
  };
  const nothing = pass("nothing is to be done in a test");
  const decided = (first: Step, second: Step) =>
    compile([
      feature("a", nothing, {
        feature: { ...feature("a", nothing).feature, forms: { new: "", old: "", oldest: "" } },
        assume: { client: NEW, server: { ...OLD, reads: ["old", "oldest"] } },
        toServer: { new: { old: first, oldest: second }, old: {}, oldest: {} },
      }),
    ]).decisions.map(({ verdict, to }) => `${verdict} ${to}`)[0];
  assert.equal(decided(reject, nothing), "pass oldest");
  assert.equal(decided(nothing, reject), "pass old");
  assert.equal(decided(reject, reject), "reject old");
});

test("a lens runs where the dialects agree only if it says so of the pair, and never against the policy", () => {
  const agreed = { assume: { client: OLD, server: OLD }, announce: () => null };
  const nothing = pass("nothing is to be done in a test");
  const lenses = (more: Partial<Translator>, policy: Policy = {}): number =>
    compile([feature("a", nothing, { ...agreed, ...more })], policy).lenses.length;
  assert.equal(lenses({}), 0);
  assert.equal(lenses({ announceIf: () => false }), 0);
  assert.equal(lenses({ announceIf: ({ server: { name } }) => name === "peer" }), 1);
  assert.equal(lenses({ announceIf: () => true }, { a: "off" }), 0);
  assert.equal(lenses({ assume: { client: NEW, server: OLD }, announceIf: () => false }), 1);
});

test("rewriters of headers run in order, know the pair and open no call", () => {
  const step = (letter: string): Step => ({
    kind: "translate",
    metadata: { name: "x", rewrite: (values, { server: { name } }) => [...values, `${letter} of ${name}`] },
  });
  const made = compile([feature("b", step("b"), { after: ["a"] }), feature("a", step("a"))]);
  assert.equal(made.methods.size, 0);
  assert.deepEqual(
    editMetadata(made, [
      ["y", "1"],
      ["x", "2"],
      ["y", "3"],
      ["x", "4"],
    ]),
    [
      ["y", "1"],
      ["x", "2"],
      ["x", "4"],
      ["x", "a of peer"],
      ["x", "b of peer"],
      ["y", "3"],
    ],
  );
  assert.deepEqual(editMetadata(made, [["y", "1"]]), [["y", "1"]]);
});

test("a version number is no proof that a method is missing, unless no revision has it", () => {
  const used = { what: "It", element: null, text: null };
  const reject = (path: string): Step => ({
    kind: "reject",
    code: "method-unsupported",
    has: "does not have it",
    fix: "do not",
    uses: [{ in: "call", methods: [path], used }],
  });
  const told: Support = { ...OLD, evidence: { source: "advertised", note: "high 2.3" } };
  const lane = (path: string) =>
    compile([feature("a", reject(path), { assume: { client: NEW, server: told } })]).methods.get(path)?.lane;
  assert.equal(lane(SPLIT_BLOB), undefined);
  assert.equal(lane("/google.devtools.remoteexecution.v1test.Execution/Execute"), "reject");
});
