/** What must hold of the translators before the bridge starts. */
import { allElements, type ElementId } from "../spec/ledger.ts";
import { inOrder, runBefore } from "./order.ts";
import type { MethodHooks, Pass, Step, Steps, Translator } from "./translator.ts";

/**
 * Everything that is wrong with a set of translators, each as a sentence: features that come twice, unknown features and circles in `after`,
 * forms without a step in either direction, undeclared overlaps of hooks, entries of the ledger (`elements`) without exactly one owner.
 */
export function registryProblems(
  translators: readonly Translator[],
  elements: readonly ElementId[] = allElements(),
): string[] {
  return [
    ...repeatedFeatures(translators),
    ...unknownAfter(translators),
    ...circles(translators),
    ...translators.flatMap(missingSteps),
    ...overlaps(translators),
    ...ownership(translators, elements),
  ];
}

function repeatedFeatures(translators: readonly Translator[]): string[] {
  const ids = translators.map(({ feature }) => feature.id);
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) < index))].map(
    (id) => `there are two features called ${id}`,
  );
}

function unknownAfter(translators: readonly Translator[]): string[] {
  const ids = new Set(translators.map(({ feature }) => feature.id));
  return translators.flatMap(({ feature, after }) =>
    after.filter((id) => !ids.has(id)).map((id) => `${feature.id} runs after ${id}, which does not exist`),
  );
}

function circles(translators: readonly Translator[]): string[] {
  try {
    inOrder(translators);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

function missingSteps({ feature, toServer, toClient, assume }: Translator): string[] {
  const forms = Object.keys(feature.forms);
  const problems: string[] = [];
  for (const [direction, steps] of Object.entries({ toServer, toClient })) {
    if (isPass(steps)) continue;
    for (const from of forms) {
      for (const to of forms) {
        if (from !== to && steps[from]?.[to] === undefined)
          problems.push(`${feature.id}: ${direction} has no step from ${from} to ${to}`);
      }
    }
    for (const [from, row] of Object.entries(steps)) {
      for (const form of [from, ...Object.keys(row)]) {
        if (!forms.includes(form))
          problems.push(`${feature.id}: ${direction} names the form ${form}, which it does not list`);
      }
    }
  }
  for (const support of Object.values(assume)) {
    for (const form of [...support.reads, ...support.writes]) {
      if (!forms.includes(form))
        problems.push(`${feature.id}: assumes the form ${form}, which it does not list`);
    }
  }
  return problems;
}

/** The hooks of one method that two features cannot both have without saying which runs first. */
function overlaps(translators: readonly Translator[]): string[] {
  const byId = new Map(translators.map((translator) => [translator.feature.id, translator]));
  const first = new Map<string, Translator[]>();
  const problems: string[] = [];
  for (const translator of translators) {
    for (const place of hookPlaces(translator)) {
      const others = first.get(place) ?? [];
      for (const other of others) {
        const declared =
          runBefore(translator, byId).has(other.feature.id) ||
          runBefore(other, byId).has(translator.feature.id);
        if (!declared) {
          problems.push(
            `${other.feature.id} and ${translator.feature.id} both hook the ${place}; one must name the other in after`,
          );
        }
      }
      first.set(place, [...others, translator]);
    }
  }
  return problems;
}

function hookPlaces({ toServer, toClient }: Translator): Set<string> {
  const places = new Set<string>();
  for (const step of [...stepsOf(toServer), ...stepsOf(toClient)]) {
    if (step.kind !== "translate") continue;
    for (const [path, hooks] of Object.entries(step.methods ?? {})) {
      for (const kind of Object.keys(hooks) as (keyof MethodHooks)[]) {
        // Scans only look: any number of them gets along.
        if (kind !== "scan") places.add(`${kind} of ${path.slice(path.lastIndexOf(".") + 1)}`);
      }
    }
    for (const kind of Object.keys(step.content ?? {})) places.add(kind);
    if (step.metadata !== undefined) places.add(`header ${step.metadata.name}`);
  }
  return places;
}

function ownership(translators: readonly Translator[], elements: readonly ElementId[]): string[] {
  const owners = new Map<string, string[]>(elements.map((element) => [element, []]));
  const problems: string[] = [];
  for (const { feature, owns } of translators) {
    for (const element of owns) {
      const list = owners.get(element);
      if (list === undefined) problems.push(`${feature.id} owns ${element}, which is not in the ledger`);
      else list.push(feature.id);
    }
  }
  for (const [element, ids] of owners) {
    if (ids.length === 0) problems.push(`nobody owns ${element}`);
    else if (ids.length > 1) problems.push(`${element} is owned by ${ids.join(" and ")}`);
  }
  return problems;
}

/** Every step of one direction. */
export function stepsOf(steps: Steps): Step[] {
  return isPass(steps) ? [steps] : Object.values(steps).flatMap((row) => Object.values(row));
}

/** Whether one reason stands for the whole direction. */
function isPass(steps: Steps): steps is Pass {
  return steps.kind === "pass";
}
