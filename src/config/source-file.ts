import { readFileSync } from "node:fs";
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { StartError } from "./start-error.ts";

/** The way from the root of a document to a value: keys and positions in lists. */
export type Path = readonly (string | number)[];

function readText(file: string, title: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      { ENOENT: "there is no such file", EISDIR: "it is a folder", EACCES: "it may not be read" }[
        code ?? ""
      ] ?? (code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8 text" : message);
    throw new StartError("config", `cannot read the ${title} ${file}: ${why}`, { cause: error });
  }
}

/** Null is how YAML writes a key whose values are all commented out: the same as leaving it out. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, v]) => v !== null);
  return Object.fromEntries(kept.map(([k, v]) => [k, withoutNulls(v)]));
}

/** A YAML or JSON file as data with positions (`file:line:col`) in it. */
export class SourceFile {
  readonly data: unknown;
  readonly file: string;
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed;

  /**
   * @param title What the file is, for messages: `configuration file`.
   * @throws StartError of kind `config` for a file that cannot be read, or is not YAML.
   */
  constructor(file: string, title: string) {
    this.file = file;
    this.document = parseDocument(readText(file, title), { lineCounter: this.lines, prettyErrors: false });
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

  /** Where the value at `path` begins, and its keys: `file:line:col: routes.upstream`. */
  place(path: Path): string {
    return `${this.locate(path)}: ${path.filter((part) => typeof part === "string").join(".")}`;
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
