/** Reading `spec-data/schema-history.json`: how every element of the API looked in every version. */
import { readFileSync } from "node:fs";

/** One shape of an element; `from` and `to` are inclusive version ids, `to` null while it is still valid. */
export interface Form {
  from: string;
  to: string | null;
  kind: string;
  number: number;
  type: string;
  typeKind: "scalar" | "message" | "enum" | "map";
  label: "singular" | "repeated" | "map";
  keyType?: string;
  requestType: string;
  responseType: string;
  clientStreaming: boolean;
  serverStreaming: boolean;
}

/** An element of the schema history; keys that belong to one kind only are read through its forms. */
export interface Element {
  kind: string;
  message?: string;
  enum?: string;
  number?: number;
  service?: string;
  introduced: string;
  lastPresent: string | null;
  removed: string | null;
  deprecated: string | null;
  deprecatedOptionSince?: string;
  supersededBy?: string;
  renamedFrom?: string;
  renamedTo?: string;
  movedFrom?: string;
  movedTo?: string;
  legacy?: { since: string; preferred: string };
  jsonName?: string;
  reserved?: { from: string; to: string | null; ranges: [number, number][] }[];
  forms?: Partial<Form>[];
  wireCompatible?: boolean;
}

/** The whole file, with the order of versions made easy to ask. */
export interface History {
  packages: string[];
  versions: { id: string; tag: string | null; date: string }[];
  elements: Map<string, Element>;
  /** Position of a version id in the order of versions; throws on an unknown id. */
  rank(id: string): number;
}

/** Reads and indexes the history of the checkout this script lives in. */
export function loadHistory(): History {
  const file = new URL("../../spec-data/schema-history.json", import.meta.url);
  const data = JSON.parse(readFileSync(file, "utf8"));
  const ranks = new Map<string, number>(data.versions.map((v: { id: string }, i: number) => [v.id, i]));
  return {
    packages: data.packages,
    versions: data.versions,
    elements: new Map(Object.entries(data.elements)),
    rank(id) {
      const rank = ranks.get(id);
      if (rank === undefined) throw new Error(`schema-history.json names an unlisted version: ${id}`);
      return rank;
    },
  };
}

/** All shapes of an element, oldest first. An element that never changed has one. */
export function formsOf(element: Element): Form[] {
  const whole = { ...element, from: element.introduced, to: element.lastPresent };
  return (element.forms ?? [{}]).map((form) => ({ ...whole, ...form }) as unknown as Form);
}

/** The shape an element has in a version, or null if the version does not have it. */
export function formAt(history: History, element: Element, version: string): Form | null {
  const at = history.rank(version);
  return (
    formsOf(element).find(
      (form) => history.rank(form.from) <= at && (form.to === null || at <= history.rank(form.to)),
    ) ?? null
  );
}

/** The version that follows `id`, or null after the last one. */
export function nextVersion(history: History, id: string): string | null {
  return history.versions[history.rank(id) + 1]?.id ?? null;
}
