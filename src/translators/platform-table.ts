/** What the table of a server's profile makes of platform properties (D37). */
import type { ServerFacts } from "../peers/profile.ts";
import { newProperty, type Property, withNames } from "./platform-properties.ts";

type Table = Partial<Omit<NonNullable<ServerFacts["platformTable"]>, "evidence">>;

/** Which properties an entry is for. */
interface Entry {
  readonly name: string;
  readonly value?: string;
  readonly anyCase?: boolean;
}

/** A property that the table refuses, and the reason it gives. */
export interface RefusedProperty {
  readonly property: Property;
  /** Whether it is the value that is refused. */
  readonly forValue: boolean;
  readonly why: string;
}

/** The first property that the table refuses, or null. */
export function refusedBy({ refuse = [] }: Table, properties: readonly Property[]): RefusedProperty | null {
  for (const property of properties) {
    const entry = refuse.find((one) => isFor(one, property));
    if (entry !== undefined) return { property, forValue: entry.value !== undefined, why: entry.why };
  }
  return null;
}

/**
 * The properties after the table: some dropped, others changed by the first entry that is for them, and those added whose name no other then has. An untouched
 * property is the same object.
 */
export function mapped(
  { drop = [], change = [], add = [] }: Table,
  properties: readonly Property[],
): Property[] {
  const kept = properties.filter((property) => !drop.some((entry) => isFor(entry, property)));
  const changed = kept.map((property) => {
    const entry = change.find((one) => isFor(one, property));
    if (entry === undefined) return property;
    const { newName = property.name, newValue = property.value, valueCase } = entry;
    return withNames(property, newName, inCase(newValue, valueCase));
  });
  const added = add.filter(({ name }) => !changed.some((property) => property.name === name));
  return [...changed, ...added.map(({ name, value }) => newProperty(name, value))];
}

function isFor({ name, value, anyCase = false }: Entry, property: Property): boolean {
  const same = (a: string, b: string) => (anyCase ? a.toLowerCase() === b.toLowerCase() : a === b);
  return same(name, property.name) && (value === undefined || same(value, property.value));
}

function inCase(value: string, wanted: "lower" | "upper" | undefined): string {
  if (wanted === undefined) return value;
  return wanted === "lower" ? value.toLowerCase() : value.toUpperCase();
}
