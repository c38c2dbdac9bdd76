/** Which fields of a message a level knows, by number and wire type: what a reader of that level takes, and does not skip. */
import schemaJson from "./generated/schema.json" with { type: "json" };
import { atLeast, type Level } from "./versions.ts";

/** A field as far as the wire shows it. */
export interface KnownField {
  /** As the schema has it: `output_paths`. */
  readonly name: string;
  /** Whether it has a length; else it is a varint. Nothing of the store has fields of other kinds. */
  readonly hasLength: boolean;
  /** The full name of the message in it; null if there is none. */
  readonly message: string | null;
}

interface SchemaField {
  readonly name: string;
  readonly id: number;
  readonly type: string;
  readonly since?: Level;
  readonly until?: Level;
}

const schema = schemaJson as unknown as Readonly<Record<string, readonly SchemaField[]>>;
const known = new Map<string, ReadonlyMap<number, KnownField>>();

/** The fields of a message at a level, by number. @throws RangeError for a message that no level has. */
export function knownFields(level: Level, message: string): ReadonlyMap<number, KnownField> {
  const key = `${level} ${message}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const fields = Object.hasOwn(schema, message) ? schema[message] : undefined;
  if (fields === undefined) throw new RangeError(`no level has a message called ${message}`);
  const there = fields.filter(
    ({ since, until }) => (!since || atLeast(level, since)) && !(until && atLeast(level, until)),
  );
  const map = new Map(there.map((field) => [field.id, fieldOf(field)]));
  known.set(key, map);
  return map;
}

function fieldOf({ name, type }: SchemaField): KnownField {
  const message = Object.hasOwn(schema, type) ? type : null;
  return {
    name: name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    hasLength: message !== null || type === "string" || type === "bytes",
    message,
  };
}
