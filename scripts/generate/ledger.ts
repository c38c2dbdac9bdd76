/**
 * The ledger: every field, enum value, method and named behaviour, with the versions that have it and the drift items about it.
 *
 * It counts what is on the wire. A renamed element is one entry under its newest name, since the version of its oldest; a field that
 * was renumbered or retyped has one entry for each form, the earlier one as `name@number`.
 */
import type protobuf from "protobufjs";
import { type Drift, driftByElement } from "./drift.ts";
import { GOOGLE_SERVICES } from "./google.ts";
import { type Element, formsOf, type History, nextVersion } from "./history.ts";

/** One line of the ledger. `until` is the first version without the element, absent if it is still there. */
export interface LedgerLine {
  kind: "field" | "enumValue" | "method" | "behaviour";
  since: string;
  until?: string;
  drift?: string[];
  /** Names the same thing had in earlier versions. */
  formerly?: string[];
  /** What a behaviour is. */
  title?: string;
}

/** Builds the ledger, sorted by id. */
export function ledger(history: History, google: protobuf.Root, drift: Drift): Record<string, LedgerLine> {
  const lines = new Map<string, LedgerLine>();
  for (const [name, element] of history.elements) {
    for (const [id, line] of elementLines(history, name, element)) lines.set(id, line);
  }
  const beyond = googleElements(google);
  for (const [id, kind] of beyond) lines.set(id, { kind, since: history.versions[0]?.id ?? "" });
  for (const [id, items] of driftByElement(drift, [...lines.keys()])) {
    const line = lines.get(id);
    if (line && items.length > 0) line.drift = items;
    if (beyond.has(id) && items.length === 0) throw new Error(`drift.json has no item for ${id}`);
  }
  for (const [item, { behaviours }] of Object.entries(drift)) {
    for (const [name, { title, ...versions }] of Object.entries(behaviours ?? {})) {
      for (const version of Object.values(versions)) history.rank(version);
      lines.set(`behaviour:${name}`, { kind: "behaviour", ...versions, drift: [item], title });
    }
  }
  return Object.fromEntries([...lines].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function elementLines(history: History, name: string, element: Element): [string, LedgerLine][] {
  const kind = element.kind;
  if (kind !== "field" && kind !== "enumValue" && kind !== "method") return [];
  if (element.renamedTo !== undefined) return [];
  if (element.wireCompatible === false) {
    const forms = formsOf(element);
    return forms.map((form) => [
      form === forms.at(-1) ? name : `${name}@${form.number}`,
      { kind, since: form.from, ...until(history, form.to) },
    ]);
  }
  const earlier = element.renamedFrom === undefined ? undefined : history.elements.get(element.renamedFrom);
  return [
    [
      name,
      {
        kind,
        since: earlier?.introduced ?? element.introduced,
        ...until(history, element.lastPresent),
        ...(element.renamedFrom !== undefined && { formerly: [element.renamedFrom] }),
      },
    ],
  ];
}

function until(history: History, last: string | null): { until?: string } {
  const next = last === null ? null : nextVersion(history, last);
  return next === null ? {} : { until: next };
}

/** Methods of the google services, and the fields of the messages they exchange. */
function googleElements(google: protobuf.Root): Map<string, "method" | "field"> {
  const found = new Map<string, "method" | "field">();
  const add = (type: protobuf.Type | null): void => {
    const name = type?.fullName.slice(1) ?? "";
    if (!GOOGLE_SERVICES.some((service) => name.startsWith(service.replace(/[^.]+$/, "")))) return;
    for (const field of type?.fieldsArray ?? []) {
      found.set(`${name}.${field.name}`, "field");
      if (field.resolvedType && "fields" in field.resolvedType && field.resolvedType !== type)
        add(field.resolvedType);
    }
  };
  for (const service of GOOGLE_SERVICES) {
    for (const method of google.lookupService(service).methodsArray) {
      found.set(`${service}.${method.name}`, "method");
      add(method.resolvedRequestType);
      add(method.resolvedResponseType);
    }
  }
  return found;
}
