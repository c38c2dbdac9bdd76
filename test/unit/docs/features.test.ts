import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { stepsOf } from "../../../src/translators/check-registry.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import type { Translator } from "../../../src/translators/translator.ts";

// An error names an item of the catalogue, and docs/features.md explains it.

const page = readFileSync("docs/features.md", "utf8");
/** What differs and the features, by item. */
const items = new Map(
  [...page.matchAll(/^\| ([DP]\d\d) \| (.+?) \| (.+) \|$/gm)].map(([, item, what, links]) => [
    item!,
    { what: what!, features: [...links!.matchAll(/\]\(#([\w-]+)\)/g)].map(([, feature]) => feature!) },
  ]),
);
/** The text under each heading. */
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("\n")), section] as const),
);

/** Hooks that can refuse by throwing, besides those steps that say so. */
const hooked = new Set(
  globSync("src/translators/**/*.ts")
    .map((file) => readFileSync(file, "utf8"))
    .filter((source) => source.includes("throw refusalOf("))
    .flatMap((source) => TRANSLATORS.filter(({ feature: { id } }) => source.includes(`"${id}"`)))
    .map(({ feature }) => feature.id),
);

/** Whether a call can be refused over the feature: by a step, by a hook, or as a method that a server is known to lack. */
function canRefuse({ feature, toServer, toClient, owns }: Translator): boolean {
  const steps = [...stepsOf(toServer), ...stepsOf(toClient)];
  return (
    hooked.has(feature.id) ||
    steps.some(
      (step) => step.kind === "reject" || (step.kind === "translate" && step.refuse !== undefined),
    ) ||
    owns.some((element) => /\.[A-Z]\w+\.[A-Z]\w+$/.test(element))
  );
}

test("every item that an error can name is in the table, with its feature, and explained there", () => {
  const refusing = TRANSLATORS.filter(canRefuse);
  assert(refusing.length > 20, "the translators could not be read");
  for (const { feature } of refusing) {
    const { id, drift, why } = feature;
    assert(drift.length > 0, `${id} can refuse and names no item`);
    const section = sections.get(id);
    assert(section !== undefined, `there is no section ${id}`);
    assert(section.includes(why), `the section ${id} does not say why`);
    for (const item of drift) {
      assert(section.includes(item), `the section ${id} does not name ${item}`);
      assert(items.get(item)?.what, `${item} is not in the table`);
    }
    const [first] = drift as [string];
    assert(
      items.get(first)?.features.includes(id),
      `the row of ${first}, which errors name, does not lead to ${id}`,
    );
  }
});

test("items that are named outside of translators are in the table as well", () => {
  const named = globSync("src/{actions,plan,proxy}/**/*.ts").flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\bdrift: "([DP]\d\d)"/g)].map(([, item]) => item!),
  );
  assert(named.length >= 3, "the source could not be read");
  assert.deepEqual(
    named.filter((item) => !items.has(item)),
    [],
  );
});

test("every link of the table leads to a section", () => {
  const features = [...items.values()].flatMap((item) => item.features);
  assert.deepEqual(
    features.filter((feature) => !sections.has(feature)),
    [],
  );
});
