/** The order in which translators run. */
import { LEVELS } from "../spec/versions.ts";
import type { Feature, Translator } from "./translator.ts";

/**
 * The translators in the order of their hooks on the way to the server: each behind all it names in `after`; else the newest feature first,
 * else as given.
 * @throws Error that shows the circle, if `after` makes one.
 */
export function inOrder(translators: readonly Translator[]): Translator[] {
  const byId = new Map(translators.map((translator) => [translator.feature.id, translator]));
  const newestFirst = [...translators].sort((a, b) => age(a.feature) - age(b.feature));
  const done = new Set<string>();
  const path: string[] = [];
  const ordered: Translator[] = [];
  const visit = (translator: Translator): void => {
    const { id } = translator.feature;
    if (done.has(id)) return;
    const start = path.indexOf(id);
    if (start >= 0)
      throw new Error(`features run after each other: ${[...path.slice(start), id].join(" → ")}`);
    path.push(id);
    for (const before of translator.after) {
      const other = byId.get(before);
      if (other !== undefined) visit(other);
    }
    path.pop();
    done.add(id);
    ordered.push(translator);
  };
  for (const translator of newestFirst) visit(translator);
  return ordered;
}

/** All features that run before this one, directly or through others. */
export function runBefore(translator: Translator, byId: ReadonlyMap<string, Translator>): Set<string> {
  const before = new Set<string>();
  const add = (id: string): void => {
    if (before.has(id)) return;
    before.add(id);
    for (const next of byId.get(id)?.after ?? []) add(next);
  };
  for (const id of translator.after) add(id);
  return before;
}

/** 0 for proposals, then the levels from the newest on, then quirks. */
function age({ since }: Feature): number {
  if (since === "ahead") return 0;
  return since === "quirk" ? LEVELS.length + 1 : LEVELS.length - LEVELS.indexOf(since);
}
