import { ALL_OPTIONS, type Option } from "./options.ts";
import type { Source } from "./parse-option.ts";
import { fileSchema } from "./schema.ts";
import { compileSchema, schemaProblems } from "./schema-problems.ts";
import { type Path, SourceFile } from "./source-file.ts";
import { StartError } from "./start-error.ts";
import { ValueError } from "./value-error.ts";

/** A configuration file that fits the schema. */
export interface ConfigFile {
  /** The values of options, by key. */
  readonly values: ReadonlyMap<string, readonly Source[]>;
  /** All of it, with its places. */
  readonly source: SourceFile;
}

/** The option that a value is of; those of `upstreams` are what the ones of `upstream` are. */
function optionAt(path: Path): Option | undefined {
  const keys = path.filter((part) => typeof part === "string");
  if (keys[0] === "upstreams") keys.splice(0, 2, "upstream");
  const key = keys.join(".");
  return ALL_OPTIONS.find((option) => option.key === (key === "upstream" ? "upstream.address" : key));
}

/** The kind of the option says better than the schema what it takes. */
function betterThanSchema(path: Path, where: string, got: unknown): string | undefined {
  try {
    optionAt(path)?.kind.parse(String(got));
    return undefined;
  } catch (better) {
    if (better instanceof ValueError) return better.sentence(where, got);
    throw better;
  }
}

/** The value at `path`, or undefined if the way there ends before. */
export function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === "object" ? (at as Record<string, unknown>)[part] : undefined),
    data,
  );
}

function* valuesOf(source: SourceFile): Generator<[key: string, values: Source[]]> {
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
 * Reads a YAML or JSON file and checks it against the schema. Throws a `StartError` that lists every unknown key and every value of the
 * wrong type with its line and column.
 */
export function readConfigFile(file: string): ConfigFile {
  const source = new SourceFile(file, "configuration file");
  const problems = schemaProblems(source, compileSchema(fileSchema()), betterThanSchema);
  if (problems.length > 0) throw new StartError("config", problems.join("\n"));
  return { values: new Map(valuesOf(source)), source };
}
