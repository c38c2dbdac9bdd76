import assert from "node:assert/strict";
import { test } from "node:test";
import type { StepOutcome, TakenStep } from "../../../src/cli/demo/across-levels.ts";
import type { BuiltTarget } from "../../../src/cli/demo/build.ts";
import { LEVEL_PAIRS } from "../../../src/cli/demo/level-steps.ts";
import { stepsText, surprises } from "../../../src/cli/demo/levels-report.ts";
import { EXPECTED, SOURCES, TARGETS } from "../../../src/cli/demo/phrase-book.ts";
import { bytes, duration } from "../../../src/cli/demo/report.ts";
import { verifyCaching, verifyOutputs } from "../../../src/cli/demo/verify.ts";
import { blobOf, type Digest } from "../../../src/client/blob.ts";

/** A finished build of one target that made these files, and a client that can read them. */
function built(files: Record<string, string>, cached = false) {
  const blobs = new Map(Object.entries(files).map(([path, content]) => [path, blobOf(content)]));
  const target: BuiltTarget = {
    target: TARGETS[0]!,
    cached,
    milliseconds: 1,
    files: new Map([...blobs].map(([path, { digest }]) => [path, { digest, executable: false }])),
  };
  const read = async (digests: readonly Digest[]) =>
    digests.map(({ hash }) => [...blobs.values()].find(({ digest }) => digest.hash === hash)!.bytes);
  return { target, client: { read } };
}

test("outputs are verified: each there, each right, none besides", async () => {
  const expected = { a: "1", b: "2" };
  const cases = [
    [{ a: "1", b: "2" }, null],
    [{ a: "1" }, /file b was not built/],
    [{ a: "1", b: "3" }, /file b is not what it should be/],
    [{ a: "1", b: "2", c: "3" }, /file c was built, but by no target/],
  ] as const;
  for (const [files, message] of cases) {
    const { target, client } = built(files);
    const verified = verifyOutputs([target], expected, client);
    if (message === null) await verified;
    else await assert.rejects(verified, { name: "BuildError", message });
  }
});

test("caching is verified: nothing known at first, everything afterwards", () => {
  const [ran, hit] = [built({}).target, built({}, true).target];
  verifyCaching([ran, ran], [hit, hit]);
  assert.throws(() => verifyCaching([ran, hit], [hit, hit]), /an empty server had a result for/);
  assert.throws(() => verifyCaching([ran, ran], [hit, ran]), /ran again in the second build/);
});

test("every target uses only what sources and earlier targets give, and all that is made is expected", () => {
  const there = new Set(Object.keys(SOURCES));
  for (const { inputs, output } of TARGETS) {
    for (const input of inputs) assert(there.has(input), input);
    there.add(output);
    const made = Object.keys(EXPECTED).filter((path) => path === output || path.startsWith(`${output}/`));
    assert(made.length > 0, output);
  }
});

test("times and sizes for people", () => {
  assert.deepEqual([0.2, 12, 999, 1300].map(duration), ["1 ms", "12 ms", "999 ms", "1.3 s"]);
  assert.deepEqual([0, 999, 1000, 4200, 3_400_000].map(bytes), [
    "0 B",
    "999 B",
    "1.0 kB",
    "4.2 kB",
    "3.4 MB",
  ]);
});

const PAPER = { width: 100, colours: false };
const PASSED: StepOutcome = { verdict: "passed", text: "", feature: null };
const LOST: StepOutcome = { verdict: "lost", text: "the output out.txt did not come", feature: null };

/** A step of which the plan says that it is refused over output-paths. */
function refusable(bridged: StepOutcome): TakenStep {
  const predicted = { verdict: "refused", feature: "output-paths" } as const;
  return { title: "a step", directly: LOST, bridged, predicted };
}

test("what gets lost through the bridge, or is refused over something else, is not as planned", () => {
  const refused = (feature: string): StepOutcome => ({ verdict: "refused", text: "No.", feature });
  const [pair] = LEVEL_PAIRS as [(typeof LEVEL_PAIRS)[number]];
  assert.deepEqual(surprises([refusable(refused("output-paths"))], pair), []);
  for (const [outcome, said] of [
    [LOST, /a step was lost and not what the plan says, refused \(output-paths\): the output out.txt/],
    [refused("salt"), /a step was refused and not what the plan says, refused \(output-paths\): No\./],
    [PASSED, /a step was passed and not what the plan says/],
  ] as const) {
    const [surprise, ...others] = surprises([refusable(outcome)], pair);
    assert.match(surprise ?? "", said);
    assert.deepEqual(others, []);
    assert.match(stepsText([refusable(outcome)], PAPER), /NOT AS PLANNED/);
  }
});

test("the table says what each way came to, and what was said, without the middle of hashes", () => {
  const failed: StepOutcome = { verdict: "failed", text: `no blob ${"ab".repeat(32)}`, feature: null };
  const translated: TakenStep = {
    title: "another",
    directly: failed,
    bridged: PASSED,
    predicted: { verdict: "translated", feature: "resource-names" },
  };
  const text = stepsText(
    [translated, refusable({ ...LOST, verdict: "refused", feature: "output-paths" })],
    PAPER,
  );
  assert.deepEqual(text.split("\n"), [
    "  what the client does  directly  through the bridge",
    "  another               fails     translated          resource-names",
    "  a step                LOST      refused             output-paths",
    "",
    "  LOST: the action ran, its result is a success, and outputs are not in it.",
    "",
    "  Without the bridge, the server says where it fails",
    "    another: no blob abababab…",
    "",
    "  What the bridge says where it refuses",
    "    output-paths: the output out.txt did not come",
    "",
  ]);
});
