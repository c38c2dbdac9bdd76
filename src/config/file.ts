import { ALL_OPTIONS, type Option } from "./options.ts";
import { fileSchema } from "./schema.ts";
import { compileSchema, schemaProblems } from "./schema-problems.ts";
import { type Path, SourceFile } from "./source-file.ts";
import { StartError } from "./start-error.ts";
import { ValueError } from "./value-error.ts";

/** One value in the file as text, and where it stands (`file:line:col: key`). */
export interface FileValue {
  readonly text: string;
  readonly where: string;
}

const validate = compileSchema(fileSchema());

function optionAt(path: Path): Option | undefined {
  const key = path.filter((part) => typeof part === "string").join(".");
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
  const source = new SourceFile(file, "configuration file");
  const problems = schemaProblems(source, validate, betterThanSchema);
  if (problems.length > 0) throw new StartError("config", problems.join("\n"));
  return new Map(valuesOf(source));
}
