/** Words that behaviours are made of: this machine in the lexicon of platforms, and the names of node properties. */
import { knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import type { NodeAttribute } from "./behaviour.ts";

const SYSTEM = process.platform === "darwin" ? "macos" : process.platform;

/** This machine in the words of the lexicon (D36), lower case; several where one machine answers to several names. */
export const HERE: Readonly<Record<string, readonly string[]>> = {
  OSFamily: [SYSTEM],
  ISA: { x64: ["x86-64", "x86-32"], arm64: ["arm-a64"] }[process.arch as string] ?? [process.arch],
};

/** The properties of the worker unless others are given: the operating system, as small clusters are set up. */
export const DEFAULT_WORKER: Readonly<Record<string, string>> = { OSFamily: SYSTEM };

const SPELLINGS = {
  mtime: { newer: "mtime", older: "MTime" },
  unix_mode: { newer: "unix_mode", older: "UnixMode" },
} as const;

/** Attributes as `supported_node_properties` and requests for outputs of the level spell them (D31); empty where it has none. */
export function propertyNames(level: Level, attributes: readonly NodeAttribute[]): readonly string[] {
  const newer = knows(level, "behaviour:property-field-names");
  if (!newer && !knows(level, "behaviour:property-lexicon")) return [];
  return attributes.map((attribute) => SPELLINGS[attribute][newer ? "newer" : "older"]);
}
