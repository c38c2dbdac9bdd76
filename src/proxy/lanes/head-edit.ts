import { type Field, makeField } from "../../http2/hpack/field.ts";
import { internName } from "../../http2/hpack/name.ts";
import type { Plan } from "../../plan/plan.ts";
import { editMetadata } from "../../plan/run-hooks.ts";
import type { HeadEdit } from "../routing/route.ts";

/** What a plan does to the head of every call; undefined where it does nothing. */
export function headEditOf(plan: Plan): HeadEdit | undefined {
  if (plan.metadata.length === 0) return undefined;
  const names = new Set(plan.metadata.map(({ name }) => internName(name)));
  return (fields) => {
    const concerned = fields.filter(({ name }) => names.has(name));
    if (concerned.length === 0) return fields;
    const entries = concerned.map(({ name, value }) => [name.text, value] as const);
    const edited = editMetadata(plan, entries);
    if (edited === entries) return fields;
    const made = edited.map(([name, value]): Field => makeField(internName(name), value));
    return [...fields.filter((field) => !concerned.includes(field)), ...made];
  };
}

/** One edit after the other; undefined for none. */
export function inTurn(...edits: readonly (HeadEdit | undefined)[]): HeadEdit | undefined {
  const [first, ...others] = edits.filter((edit) => edit !== undefined);
  if (first === undefined) return undefined;
  return others.length === 0
    ? first
    : (fields) => others.reduce((current, edit) => edit(current), first(fields));
}
