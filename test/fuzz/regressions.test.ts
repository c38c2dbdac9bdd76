import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { corpusOf, regressionsOf } from "./cases.ts";
import { failure, fuzz } from "./fuzz.ts";
import { mutated } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets.ts";

// `npm run fuzz` looks for new defects; here the old ones must stay away.

const FEW = 300;

for (const target of TARGETS) {
  test(`${target.name}: the corpus, what once broke it, and ${FEW} cases more`, () => {
    const corpus = corpusOf(target.name);
    assert.ok(corpus.length > 0, "there is nothing to start from");
    for (const input of [...corpus, ...regressionsOf(target.name)]) {
      const error = failure(target, input);
      if (error !== null) {
        error.message += `\ninput (base64): ${input.toString("base64")}`;
        throw error;
      }
    }
    const crash = fuzz(target, corpus, { seed: 2, cases: FEW });
    assert.equal(crash?.input.toString("base64"), undefined, crash?.error.stack ?? "");
  });
}

test("every folder of inputs belongs to a target", () => {
  const names = TARGETS.map(({ name }) => name);
  for (const kind of ["corpus", "regressions"]) {
    const folders = readdirSync(import.meta.dirname).includes(kind)
      ? readdirSync(`${import.meta.dirname}/${kind}`)
      : [];
    for (const folder of folders) assert.ok(names.includes(folder), `${kind}/${folder}`);
  }
});

const planted: FuzzTarget = {
  name: "planted",
  run(bytes) {
    if (bytes.includes(0x80) && bytes.includes(0xff)) throw new Error("planted");
    // Changing the input must not change what is reported.
    bytes.fill(0);
  },
};

test("a planted defect is found, made small, and found again from the same seed", () => {
  const corpus = [Buffer.from("some text to start from"), Buffer.from("and another")];
  const crash = fuzz(planted, corpus, { seed: 7, cases: 100_000 });
  assert.equal(crash?.error.message, "planted");
  assert.deepEqual([...crash.input].sort(), [0x80, 0xff]);
  assert.equal(fuzz(planted, corpus, { seed: 7, cases: 100_000 })?.index, crash.index);
  assert.equal(fuzz(planted, corpus, { seed: 7, cases: crash.index }), null);
});

test("seeds differ, cases differ, and each is the same every time", () => {
  const corpus = [Buffer.from("a text that is long enough to differ")];
  const ofSeed = (seed: number) =>
    Array.from({ length: 50 }, (_, i) => mutated(corpus, seed, i).toString("hex"));
  assert.deepEqual(ofSeed(1), ofSeed(1));
  assert.notDeepEqual(ofSeed(1), ofSeed(2));
  assert.ok(new Set(ofSeed(1)).size > 40);
});
