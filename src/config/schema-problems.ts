import { type ErrorObject, type ValidateFunction, Ajv2020 as Validator } from "ajv/dist/2020.js";
import { didYouMean } from "./did-you-mean.ts";
import type { JsonSchema } from "./schema.ts";
import type { Path, SourceFile } from "./source-file.ts";
import { quoted } from "./value-error.ts";

/** What says better than the schema why the value at `path` is wrong, as a whole sentence; undefined if it knows no better. */
export type Explain = (path: Path, where: string, got: unknown) => string | undefined;

/** Compiles a schema for {@link schemaProblems}. The format `regex` is known. */
export function compileSchema(schema: Readonly<JsonSchema>): ValidateFunction {
  return new Validator({
    allErrors: true,
    verbose: true,
    strict: true,
    allowUnionTypes: true,
    formats: { regex: isExpression },
  }).compile(schema);
}

function isExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** What is wrong with a file, a line for each key or value with its place in the file; empty if nothing is. */
export function schemaProblems(
  source: SourceFile,
  validate: ValidateFunction,
  explain: Explain = () => undefined,
): string[] {
  if (validate(source.data)) return [];
  const seen = new Map<string, string>();
  for (const error of validate.errors ?? []) {
    // What branches say of themselves adds nothing to what went wrong in them.
    if (error.keyword === "if") continue;
    const text = describe(source, error, explain);
    const subject = /^(additionalProperties|required)$/.test(error.keyword) ? text : error.instancePath;
    if (!seen.has(subject)) seen.set(subject, text);
  }
  return [...seen.values()];
}

function pathOf(error: ErrorObject): Path {
  const parts = error.instancePath.split("/").slice(1);
  return parts.map((p) => (/^\d+$/.test(p) ? Number(p) : p.replaceAll("~1", "/").replaceAll("~0", "~")));
}

function keysOf(schema: unknown): string[] {
  const keys = Object.keys((schema as { properties?: JsonSchema }).properties ?? {});
  return keys.filter((key) => key !== "$schema");
}

function describe(source: SourceFile, error: ErrorObject, explain: Explain): string {
  const path = pathOf(error);
  const name = path.filter((part) => typeof part === "string").join(".");
  const prefix = name === "" ? "" : `: ${name}`;
  if (error.keyword !== "additionalProperties") {
    return wrongValue(error, path, source.locate(path) + prefix, explain);
  }
  const { additionalProperty: key } = error.params as { additionalProperty: string };
  const known = keysOf(error.parentSchema);
  const hint = didYouMean(key, known) || `; known here are ${known.join(", ")}`;
  return `${source.locateKey(path, key)}${prefix}: unknown key "${key}"${hint}`;
}

function wrongValue(error: ErrorObject, path: Path, where: string, explain: Explain): string {
  const got = ` (got ${quoted(error.data)})`;
  const keys = keysOf(error.parentSchema);
  if (error.keyword === "type" && keys.length > 0) {
    return `${where}: must hold keys, such as ${keys[0]}${got}`;
  }
  if (error.keyword === "required") {
    return `${where}: lacks the key "${(error.params as { missingProperty: string }).missingProperty}"`;
  }
  if (error.keyword === "minItems") return `${where}: must name at least one`;
  const better = typeof error.data === "object" ? undefined : explain(path, where, error.data);
  if (better !== undefined) return better;
  if (error.keyword === "enum") {
    const allowed = (error.params as { allowedValues: readonly unknown[] }).allowedValues.map(String);
    return `${where}: must be one of ${allowed.join(", ")}${got}${didYouMean(String(error.data), allowed)}`;
  }
  return `${where}: ${error.message}${got}`;
}
