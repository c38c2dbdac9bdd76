import { readFileSync } from "node:fs";
import { type ErrorObject, Ajv2020 as Validator } from "ajv/dist/2020.js";
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { didYouMean } from "./did-you-mean.ts";
import { ALL_OPTIONS, type Option } from "./options.ts";
import { fileSchema, type JsonSchema } from "./schema.ts";
import { StartError } from "./start-error.ts";
import { quoted, ValueError } from "./value-error.ts";

/** One value in the file as text, and where it stands (`file:line:col: key`). */
export interface FileValue {
  readonly text: string;
  readonly where: string;
}

type Path = readonly (string | number)[];

const validate = new Validator({
  allErrors: true,
  verbose: true,
  strict: true,
  allowUnionTypes: true,
}).compile(fileSchema());

function readText(file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      { ENOENT: "there is no such file", EISDIR: "it is a folder", EACCES: "it may not be read" }[
        code ?? ""
      ] ?? (code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8 text" : message);
    throw new StartError("config", `cannot read the configuration file ${file}: ${why}`, { cause: error });
  }
}

/** Null is how YAML writes a key whose values are all commented out: the same as leaving it out. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, v]) => v !== null);
  return Object.fromEntries(kept.map(([k, v]) => [k, withoutNulls(v)]));
}

/** The text of a file with positions in it. */
class SourceFile {
  readonly data: unknown;
  private readonly file: string;
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed;

  constructor(file: string) {
    this.file = file;
    this.document = parseDocument(readText(file), { lineCounter: this.lines, prettyErrors: false });
    const [first] = this.document.errors;
    if (first !== undefined) throw new StartError("config", `${this.at(first.pos[0])}: ${first.message}`);
    this.data = withoutNulls(this.document.toJS()) ?? {};
  }

  private at(offset: number): string {
    const { line, col } = this.lines.linePos(offset);
    return `${this.file}:${line}:${col}`;
  }

  /** Where the value at `path` begins. */
  locate(path: Path): string {
    const node = (path.length === 0 ? this.document.contents : this.document.getIn(path, true)) as
      | Node
      | undefined;
    return this.at(node?.range?.[0] ?? 0);
  }

  /** Where the key `name` of the map at `path` stands. */
  locateKey(path: Path, name: string): string {
    const map = path.length === 0 ? this.document.contents : this.document.getIn(path, true);
    const pair = isMap(map)
      ? map.items.find((item) => isScalar(item.key) && String(item.key.value) === name)
      : undefined;
    return this.at((pair?.key as Node | undefined)?.range?.[0] ?? 0);
  }
}

function optionAt(path: Path): Option | undefined {
  const key = path.filter((part) => typeof part === "string").join(".");
  return ALL_OPTIONS.find((option) => option.key === (key === "upstream" ? "upstream.address" : key));
}

function pathOf(error: ErrorObject): Path {
  const parts = error.instancePath.split("/").slice(1);
  return parts.map((p) => (/^\d+$/.test(p) ? Number(p) : p.replaceAll("~1", "/").replaceAll("~0", "~")));
}

function keysOf(schema: unknown): string[] {
  const keys = Object.keys((schema as { properties?: JsonSchema }).properties ?? {});
  return keys.filter((key) => key !== "$schema");
}

function wrongValue(error: ErrorObject, path: Path, where: string): string {
  const got = ` (got ${quoted(error.data)})`;
  const keys = keysOf(error.parentSchema);
  if (error.keyword === "type" && keys.length > 0)
    return `${where}: must hold keys, such as ${keys[0]}${got}`;
  if (error.keyword === "minItems") return `${where}: must name at least one`;
  try {
    // The kind of the option says better than the schema what it takes.
    if (typeof error.data !== "object") optionAt(path)?.kind.parse(String(error.data));
  } catch (better) {
    if (better instanceof ValueError) return better.sentence(where, error.data);
    throw better;
  }
  return `${where}: ${error.message}${got}`;
}

function describe(source: SourceFile, error: ErrorObject): string {
  const path = pathOf(error);
  const name = path.filter((part) => typeof part === "string").join(".");
  const prefix = name === "" ? "" : `: ${name}`;
  if (error.keyword !== "additionalProperties") return wrongValue(error, path, source.locate(path) + prefix);
  const { additionalProperty: key } = error.params as { additionalProperty: string };
  const known = keysOf(error.parentSchema);
  const hint = didYouMean(key, known) || `; known here are ${known.join(", ")}`;
  return `${source.locateKey(path, key)}${prefix}: unknown key "${key}"${hint}`;
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === "object" ? (at as Record<string, unknown>)[part] : undefined),
    data,
  );
}

function* valuesOf(source: SourceFile): Generator<[key: string, values: FileValue[]]> {
  const addressOnly = typeof valueAt(source.data, ["upstream"]) === "string";
  for (const { key } of ALL_OPTIONS) {
    const path = addressOnly && key === "upstream.address" ? ["upstream"] : key.split(".");
    const value = valueAt(source.data, path);
    if (Array.isArray(value)) {
      yield [
        key,
        value.map((item, i) => ({ text: String(item), where: `${source.locate([...path, i])}: ${key}` })),
      ];
    } else if (value !== undefined) {
      yield [key, [{ text: String(value), where: `${source.locate(path)}: ${path.join(".")}` }]];
    }
  }
}

/**
 * Reads a YAML or JSON file and checks it against the schema: the values of options by key. Throws a `StartError` that lists
 * every unknown key and every value of the wrong type with its line and column.
 */
export function readConfigFile(file: string): ReadonlyMap<string, readonly FileValue[]> {
  const source = new SourceFile(file);
  if (!validate(source.data)) {
    const seen = new Map<string, string>();
    for (const error of validate.errors ?? []) {
      const text = describe(source, error);
      const subject = error.keyword === "additionalProperties" ? text : error.instancePath;
      if (!seen.has(subject)) seen.set(subject, text);
    }
    throw new StartError("config", [...seen.values()].join("\n"));
  }
  return new Map(valuesOf(source));
}
