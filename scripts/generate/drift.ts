/** Reading `spec-data/drift.json`: the drift items, the elements each speaks of, and the behaviours no schema shows. */
import { readFileSync } from "node:fs";

const DEFAULT_PACKAGE = "build.bazel.remote.execution.v2.";

/** One drift item. An element is a name of the execution package, a full name, or either with `*` for its last part. */
interface DriftItem {
  title: string;
  elements: string[];
  /** Behaviour name → the version from which it holds, the first in which it does not any more, and what it is. */
  behaviours?: Record<string, { since: string; until?: string; title: string }>;
}

/** D-id → item, in the order of the catalogue. */
export type Drift = Record<string, DriftItem>;

/** Reads the items of the checkout this script lives in. */
export function loadDrift(): Drift {
  return JSON.parse(readFileSync(new URL("../../spec-data/drift.json", import.meta.url), "utf8"));
}

/**
 * The D-ids that speak of each element. Earlier forms of a field (`name@number`) belong to the items of the field.
 * @throws Error on an element of drift.json that matches no id, which is then misspelt.
 */
export function driftByElement(drift: Drift, ids: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const [item, { elements }] of Object.entries(drift)) {
    for (const element of elements) {
      const name = /^(build|google)\./.test(element) ? element : DEFAULT_PACKAGE + element;
      const matches = ids.filter((id) =>
        name.endsWith(".*") ? id.startsWith(name.slice(0, -1)) : id === name || id.startsWith(`${name}@`),
      );
      if (matches.length === 0) throw new Error(`drift.json: ${item} names ${element}, which does not exist`);
      for (const id of matches) if (!found.get(id)?.includes(item)) found.get(id)?.push(item);
    }
  }
  return found;
}
