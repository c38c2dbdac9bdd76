/** Attributes of files, directories and symlinks, in the forms that clients write and read (D30, D31, D33). */
import type { Draft } from "../spec/codec.ts";
import type { Messages } from "../spec/generated/messages.ts";

/** What is known, or asked for, of a node; what is left out is not said. */
export interface Attributes {
  /** Seconds since 1970, exact to the millisecond. */
  readonly mtime?: number;
  /** Permission bits, 0 to 0o7777. */
  readonly unixMode?: number;
}

/**
 * How a client writes attributes: not at all, as the list of 2.0 and 2.1, as that list but requested in the Command (between 2.1 and 2.2), or as the message
 * since 2.2; with `inputs` as that message, and none is requested.
 */
export type PropertyForm = "none" | "list" | "2020-03" | "message" | "inputs";

/** The two fields in which a node has properties: each level has at most one of them. */
type PropertyFields = Pick<
  Messages["build.bazel.remote.execution.v2.FileNode"],
  "legacyNodeProperties" | "nodeProperties"
>;

/** The fields of a node with these attributes. */
export function nodeProperties(
  { mtime, unixMode }: Attributes = {},
  form: PropertyForm = "none",
): Draft<PropertyFields> {
  if (form === "none" || (mtime === undefined && unixMode === undefined)) return {};
  if (form === "message" || form === "inputs") {
    return {
      nodeProperties: {
        ...(mtime !== undefined && { mtime: timestampOf(mtime) }),
        ...(unixMode !== undefined && { unixMode: { value: unixMode } }),
      },
    };
  }
  return {
    legacyNodeProperties: [
      ...(mtime === undefined ? [] : [{ name: "MTime", value: rfc3339(mtime) }]),
      ...(unixMode === undefined ? [] : [{ name: "UnixMode", value: unixMode.toString(8).padStart(4, "0") }]),
    ],
  };
}

/** The attributes of a node that came, as `{ attributes }` to be spread; of a node that has none, nothing. */
export function attributesOf({ legacyNodeProperties, nodeProperties }: PropertyFields): {
  readonly attributes?: Attributes;
} {
  const listed = new Map(legacyNodeProperties.map(({ name, value }) => [name, value]));
  const { mtime = null, unixMode = null } = nodeProperties ?? {};
  const time = listed.get("MTime");
  const mode = listed.get("UnixMode");
  const attributes = {
    ...(mtime !== null && { mtime: Number(mtime.seconds) + Math.round(mtime.nanos / 1e6) / 1000 }),
    ...(unixMode !== null && { unixMode: unixMode.value }),
    ...(time !== undefined && { mtime: Date.parse(time) / 1000 }),
    ...(mode !== undefined && { unixMode: Number.parseInt(mode, 8) }),
  };
  return Object.keys(attributes).length === 0 ? {} : { attributes };
}

/** What the list of 2.0 and 2.1 calls properties. */
const LISTED: Readonly<Record<string, string>> = { mtime: "MTime", unix_mode: "UnixMode" };

/** Names of properties, given as today's, as a request for them spells them in this form. */
export function propertyNames(names: readonly string[], form: PropertyForm): string[] {
  if (form === "none" || form === "inputs") return [];
  return form === "message" ? [...names] : names.map((name) => LISTED[name] ?? name);
}

function timestampOf(seconds: number) {
  const whole = Math.floor(seconds);
  return { seconds: BigInt(whole), nanos: Math.round((seconds - whole) * 1000) * 1e6 };
}

function rfc3339(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString().replace(/\.000Z$/, "Z");
}
