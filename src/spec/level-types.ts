/** The message types of one level, built for protobufjs from `generated/schema.json`. */
import type { IType, Type, Writer } from "protobufjs/light.js";
import schemaJson from "./generated/schema.json" with { type: "json" };
import { loadProtobufIo } from "./protobuf-io.ts";
import { atLeast, type Level } from "./versions.ts";

/** A field of `schema.json`; without `since` every level has it. */
interface SchemaField {
  name: string;
  id: number;
  type: string;
  label?: "repeated" | "map";
  keyType?: string;
  oneof?: string;
  since?: Level;
  until?: Level;
}

/** What protobufjs generates; its declared type lacks the depth, which guards against messages that contain themselves. */
type Encode = (this: unknown, message: Record<string, unknown>, writer?: Writer, depth?: number) => Writer;

const schema = schemaJson as unknown as Record<string, SchemaField[]>;

const NONE: readonly never[] = Object.freeze([]);
const NO_BYTES = Buffer.alloc(0);
const DEFAULTS: Record<string, unknown> = {
  bool: false,
  bytes: NO_BYTES,
  int32: 0,
  int64: 0n,
  string: "",
  uint32: 0,
  uint64: 0n,
};

/**
 * A look-up of message types by full name, as the level knows them; undefined for a name the schema lacks. Fields of other levels are
 * left out of a type, so that they are unknown fields on the wire, but read as their defaults.
 */
export function levelTypes(level: Level): (name: string) => Type | undefined {
  const { protobuf } = loadProtobufIo();
  const root = protobuf.Root.fromJSON({ nested: nestedTypes(level) });
  root.resolveAll();
  const ready = new Map<string, Type>();

  /** Adjusts a type and all it can contain, which costs generated code for each: hence at first use. */
  const prepare = (name: string, type: Type): Type => {
    const known = ready.get(name);
    if (known !== undefined) return known;
    ready.set(name, type);
    const fields = schema[name] ?? [];
    preparePrototype(type, fields);
    guardWideFields(type, fields);
    for (const { resolvedType } of type.fieldsArray) {
      if (resolvedType instanceof protobuf.Type) prepare(resolvedType.fullName.slice(1), resolvedType);
    }
    return type;
  };
  return (name) => (Object.hasOwn(schema, name) ? prepare(name, root.lookupType(name)) : undefined);
}

/** protobufjs wants namespaces nested; a message may be a namespace too. */
function nestedTypes(level: Level): Record<string, IType> {
  const top: Record<string, IType> = {};
  for (const [name, fields] of Object.entries(schema)) {
    let siblings = top;
    const path = name.split(".");
    const own = path.pop() ?? "";
    for (const part of path) {
      const space = siblings[part] ?? ({ nested: {} } as unknown as IType);
      siblings[part] = space;
      space.nested ??= {};
      siblings = space.nested as Record<string, IType>;
    }
    siblings[own] = { ...siblings[own], ...typeJson(level, fields) };
  }
  return top;
}

function typeJson(level: Level, fields: SchemaField[]): IType {
  const known = fields.filter(
    ({ since, until }) => (!since || atLeast(level, since)) && !(until && atLeast(level, until)),
  );
  const oneofs: Record<string, { oneof: string[] }> = {};
  for (const { name, oneof } of known) {
    if (oneof === undefined) continue;
    oneofs[oneof] ??= { oneof: [] };
    oneofs[oneof].oneof.push(name);
  }
  return {
    oneofs,
    fields: Object.fromEntries(
      known.map(({ name, id, type, label, keyType }) => [
        name,
        { id, type, ...(label === "repeated" && { rule: label }), ...(keyType !== undefined && { keyType }) },
      ]),
    ),
  };
}

/** Absent fields, and those of other levels, read as the default of their type; shared defaults cannot be written to. */
function preparePrototype(type: Type, fields: SchemaField[]): void {
  const prototype = type.ctor.prototype as Record<string, unknown>;
  for (const { name, type: fieldType, label } of fields) {
    prototype[name] =
      label === "repeated" ? NONE : label === "map" ? Object.freeze({}) : (DEFAULTS[fieldType] ?? null);
  }
  Object.defineProperty(prototype, "toJSON", { value: toJson });
}

/**
 * The encoder of protobufjs does not see that 0n is a default and would write it, so that digests would differ; and it would leave out
 * an object that is not one of its own 64-bit ones. Both are settled before it runs.
 */
function guardWideFields(type: Type, fields: SchemaField[]): void {
  const wide = fields.filter((field) => field.type === "int64" || field.type === "uint64");
  if (wide.length === 0) return;
  if (wide.some((field) => field.label !== undefined)) {
    throw new Error(`${type.fullName}: the codec does not handle repeated 64-bit fields`);
  }
  const generated = type.setup().encode as Encode;
  const names = wide.map(({ name }) => name);
  const guarded: Encode = (values, writer, depth) => {
    let zeros = 0;
    for (const name of names) {
      const value = values[name];
      if (typeof value === "object" && value !== null) {
        throw new TypeError(
          `${type.fullName.slice(1)}.${name} needs a bigint or a safe integer, not an object`,
        );
      }
      if (value === 0n && Object.hasOwn(values, name)) zeros += 1;
    }
    return generated.call(type, zeros === 0 ? values : withoutZeros(values, names), writer, depth);
  };
  type.encode = guarded as Type["encode"];
}

/** A copy, unknown fields included, without the named fields that are 0n. The message is its owner's and stays as it is. */
function withoutZeros(values: Record<string, unknown>, names: string[]): Record<string, unknown> {
  const copy = Object.create(Object.getPrototypeOf(values), Object.getOwnPropertyDescriptors(values));
  for (const name of names) if (copy[name] === 0n) delete copy[name];
  return copy;
}

/** As in the JSON form of protobuf: 64-bit integers as text, bytes as base64. protobufjs' own would throw on a bigint. */
function toJson(this: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(this).map(([name, value]) => {
      if (typeof value === "bigint") return [name, value.toString()];
      if (value instanceof Uint8Array) return [name, Buffer.from(value).toString("base64")];
      return [name, value];
    }),
  );
}
