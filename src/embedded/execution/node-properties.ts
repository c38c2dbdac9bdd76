/** Node properties of files, directories and links: modification time and permissions, in the forms of every level (D30, D31, D33). */
import type { BigIntStats } from "node:fs";
import type { Draft } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { formatRfc3339, parseRfc3339 } from "../../wire/rfc3339.ts";
import { invalid } from "./failure.ts";
import { nanosecondsOf, timestampOf } from "./timestamps.ts";

/** The two fields in which a node carries properties; a level has at most one of them. */
export type PropertyFields = Pick<
  Messages["build.bazel.remote.execution.v2.FileNode"],
  "legacyNodeProperties" | "nodeProperties"
>;

/** What a node asks for; null where it says nothing. */
export interface Properties {
  /** Nanoseconds since 1970. */
  readonly mtime: bigint | null;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number | null;
}

/**
 * Reads the properties of a node that a codec of the server's level decoded. Properties by other names are not honoured.
 * @throws CallError INVALID_ARGUMENT for values that are none.
 */
export function readProperties(node: PropertyFields, path: string): Properties {
  const { nodeProperties: fields, legacyNodeProperties: list } = node;
  let mtime = fields?.mtime ? nanosecondsOf(fields.mtime) : null;
  let mode = fields?.unixMode ? fields.unixMode.value & 0o7777 : null;
  for (const { name, value } of list) {
    if (name === "MTime") mtime = parseRfc3339(value) ?? refuse(path, name, value, "a time as in RFC 3339");
    if (name === "UnixMode") mode = parseMode(value) ?? refuse(path, name, value, "four octal digits");
  }
  return { mtime, mode };
}

function parseMode(text: string): number | null {
  return /^[0-7]{4}$/.test(text) ? Number.parseInt(text, 8) : null;
}

function refuse(path: string, name: string, value: string, wanted: string): never {
  throw invalid(
    "node_properties",
    `${name} of ${JSON.stringify(path)} is "${value}"; it has to be ${wanted}`,
  );
}

/** Writes the properties of an output that were asked for by name, in the form of the level. */
export function writeProperties(
  stats: BigIntStats,
  names: readonly string[],
  level: Level,
): Draft<PropertyFields> {
  if (names.length === 0) return {};
  const mode = Number(stats.mode & 0o7777n);
  if (knows(level, "behaviour:property-field-names")) {
    const mtime = names.includes("mtime") ? timestampOf(stats.mtimeNs) : undefined;
    const unixMode = names.includes("unix_mode") ? { value: mode } : undefined;
    return { nodeProperties: { mtime, unixMode } };
  }
  const values: Record<string, string> = {
    MTime: formatRfc3339(stats.mtimeNs),
    UnixMode: mode.toString(8).padStart(4, "0"),
  };
  return {
    legacyNodeProperties: [...names].sort().flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [{ name, value }];
    }),
  };
}
