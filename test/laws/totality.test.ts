import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { registryProblems, stepsOf } from "../../src/translators/check-registry.ts";
import { TRANSLATORS } from "../../src/translators/registry.ts";

// Law: every entry of the ledger has one owner, every form a step in both directions, every harmful one a refusal that helps.

test("the registered translators fit together", () => {
  assert.deepEqual(registryProblems(TRANSLATORS), []);
});

test("docs/features.md explains every item that an error can name", () => {
  const page = readFileSync("docs/features.md", "utf8");
  for (const { feature } of TRANSLATORS.filter((translator) => translator.feature.drift.length > 0)) {
    const row = page.split("\n").find((line) => line.startsWith(`| ${feature.drift[0]} |`));
    assert.ok(row?.includes(`[${feature.id}](#${feature.id})`), feature.id);
    assert.ok(page.includes(`\n## ${feature.id}\n`), feature.id);
  }
});

for (const translator of TRANSLATORS) {
  const { feature, clientAhead, serverAhead, toServer, toClient } = translator;
  test(`${feature.id} says what it is, what happens either way, and why`, () => {
    assert.match(feature.id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.match(feature.title, /^[A-Z].*[^.]$/);
    assert.match(feature.why, /^[A-Z].*\.$/);
    for (const item of feature.drift) assert.match(item, /^[DP]\d\d$/);
    for (const text of [clientAhead, serverAhead]) assert.ok(text.length > 0);
    for (const step of [...stepsOf(toServer), ...stepsOf(toClient)]) {
      if (step.kind === "pass") assert.ok(step.why.split(" ").length > 3, step.why);
      if (step.kind !== "reject") continue;
      assert.ok(step.uses.length > 0, "a refusal of nothing");
      assert.ok(feature.drift.length > 0, "an error that names no item");
      assert.ok(step.fix.length > 0 && step.has.length > 0);
    }
  });
}
