/**
 * The schema the codec works from: every message of every version in one structure, each field with the versions that have it.
 *
 * Names are the newest ones, in lowerCamelCase. A renamed field is one field. A field whose number, label or type changed
 * on the wire becomes two: the newest form has the name, an earlier one gets the prefix `legacy` (D31).
 */
import type protobuf from "protobufjs";
import { type Element, type Form, formsOf, type History, nextVersion } from "./history.ts";

/** A field as the codec reads it. Enums are `int32`: proto3 enums are open, so nothing else is known of their values. */
export interface CodecField {
  name: string;
  id: number;
  type: string;
  label?: "repeated" | "map";
  keyType?: string;
  oneof?: string;
  /** First version that has the field; absent for google.* fields, which every version has. */
  since?: string;
  /** First version that has it no more. */
  until?: string;
}

/** Message name → its fields, ordered by number. */
export type CodecSchema = Record<string, CodecField[]>;

/** Builds the schema from the history and the google.* messages. Deterministic: names and numbers are sorted. */
export function codecSchema(history: History, google: protobuf.Type[]): CodecSchema {
  const messages = new Map<string, CodecField[]>();
  for (const [name, element] of history.elements) if (element.kind === "message") messages.set(name, []);
  for (const [name, element] of history.elements) {
    if (element.kind !== "field" || isOldName(history, name, element)) continue;
    messages.get(element.message ?? "")?.push(...fieldEntries(history, element));
  }
  for (const type of google) messages.set(type.fullName.slice(1), type.fieldsArray.map(googleField));

  const names = [...messages.keys()].sort();
  return Object.fromEntries(
    names.map((name) => [
      name,
      (messages.get(name) ?? []).sort((a, b) => a.id - b.id || (a.name < b.name ? -1 : 1)),
    ]),
  );
}

function isOldName(history: History, name: string, element: Element): boolean {
  if (element.renamedTo === undefined) return false;
  const renamed = history.elements.get(element.renamedTo);
  const last = formsOf(element).at(-1);
  const next = renamed && formsOf(renamed)[0];
  if (last?.number !== next?.number || last?.type !== next?.type)
    throw new Error(`${name} was renamed and changed`);
  return true;
}

function fieldEntries(history: History, element: Element): CodecField[] {
  const forms = formsOf(element);
  const newest = forms.at(-1);
  if (newest === undefined) return [];
  const name = element.jsonName ?? "";
  if (element.wireCompatible !== false) {
    const since = element.renamedFrom && history.elements.get(element.renamedFrom)?.introduced;
    return [entry(history, name, { ...newest, from: since ?? element.introduced })];
  }
  return forms.map((form) =>
    entry(history, form === newest ? name : `legacy${name[0]?.toUpperCase()}${name.slice(1)}`, form),
  );
}

function entry(history: History, name: string, form: Form): CodecField {
  const until = form.to === null ? null : nextVersion(history, form.to);
  return {
    name,
    id: form.number,
    type: form.typeKind === "enum" ? "int32" : form.type,
    ...(form.label !== "singular" && { label: form.label }),
    ...(form.keyType !== undefined && { keyType: form.keyType }),
    since: form.from,
    ...(until !== null && { until }),
  };
}

function googleField(field: protobuf.Field): CodecField {
  const resolved = field.resolvedType;
  const isMessage = resolved !== null && "fields" in resolved;
  return {
    name: camelCase(field.name),
    id: field.id,
    type: isMessage ? resolved.fullName.slice(1) : resolved === null ? field.type : "int32",
    ...(field.map ? { label: "map" as const } : field.repeated ? { label: "repeated" as const } : {}),
    ...("keyType" in field && { keyType: field.keyType as string }),
    ...(field.partOf && { oneof: field.partOf.name }),
  };
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
