/** Fields that a level does not know, for servers that refuse them in messages that are hashed (D03). */
import type { MessageName } from "../../spec/codec.ts";
import { levelTypes } from "../../spec/level-types.ts";
import type { Level } from "../../spec/versions.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { WireError } from "../../wire/wire-error.ts";
import { invalid } from "./failure.ts";

type Types = ReturnType<typeof levelTypes>;
type MessageType = NonNullable<ReturnType<Types>>;

const types = new Map<Level, Types>();

function typesOf(level: Level): Types {
  let known = types.get(level);
  if (known === undefined) {
    known = levelTypes(level);
    types.set(level, known);
  }
  return known;
}

/**
 * Lets through messages of which a server of this level knows every field, at every depth. `also` are numbers of fields of the message itself
 * that it knows beyond its level.
 * @throws CallError INVALID_ARGUMENT for others, and for bytes that are no message.
 */
export function checkFields(
  name: MessageName,
  bytes: Buffer,
  level: Level,
  also: readonly number[] = [],
): void {
  const short = name.slice(name.lastIndexOf(".") + 1);
  let unknown: string | null;
  try {
    unknown = unknownField(typesOf(level)(name)!, new Walker(bytes), also);
  } catch (error) {
    if (error instanceof WireError)
      throw invalid("action_digest", `the ${short} is broken: ${error.message}`);
    throw error;
  }
  if (unknown === null) return;
  throw invalid(
    "action_digest",
    `the ${short} is not canonical: this server knows no field ${unknown} of it`,
  );
}

/** The number of the first field that the type lacks, after the names of the fields it lies in; null if there is none. */
function unknownField(type: MessageType, field: Walker, also: readonly number[]): string | null {
  while (field.next()) {
    const known = type.fieldsById[field.number];
    if (known === undefined && !also.includes(field.number)) return String(field.number);
    const inner = known?.resolvedType;
    if (field.wireType !== WireType.LEN || !inner || !("fieldsById" in inner)) continue;
    const inside = unknownField(inner, field.enter(), []);
    if (inside !== null) return `${known!.name}.${inside}`;
  }
  return null;
}
