/**
 * Checks the directions of imports between the rooms of `src` (docs/architecture.md), types included, and that no files load each
 * other in a circle.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";

/** What each room may import besides itself; `index` is `src/index.ts`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  config: ["wire"],
  http2: [],
  wire: [],
  compression: [],
  spec: ["wire"],
  observe: ["config"],
  tree: ["wire", "spec"],
  upstream: ["wire", "spec", "tree"],
  peers: ["wire", "spec", "tree", "upstream", "config"],
  translators: ["wire", "compression", "spec", "tree", "upstream", "peers", "config", "observe"],
  actions: ["wire", "spec", "tree", "upstream", "peers", "translators", "observe"],
  plan: ["wire", "spec", "tree", "upstream", "peers", "translators", "actions", "config", "observe"],
  embedded: ["wire", "compression", "spec", "peers", "config"],
  client: ["wire", "compression", "spec"],
  proxy: ["http2", "wire", "spec", "upstream", "peers", "translators", "plan", "config", "observe"],
  index: ["http2", "wire", "spec", "peers", "plan", "config", "observe", "proxy", "embedded"],
  cli: [
    "http2",
    "wire",
    "spec",
    "client",
    "upstream",
    "peers",
    "translators",
    "plan",
    "config",
    "observe",
    "proxy",
    "embedded",
    "index",
  ],
};

// The formatter puts every import and export declaration at the start of a line and its source last.
const DECLARATION = /^(?:import|export)(\s+type\b)?(?:[^;"']*?\bfrom)?\s*["']([^"']+)["']/gm;
const DYNAMIC = /\bimport(\s+type)?\(\s*["']([^"']+)["']\s*\)/g;

interface Import {
  /** The file that is imported, from the root of the project. */
  readonly target: string;
  /** False for `import type`, which loads nothing. */
  readonly loads: boolean;
}

function importsOf(file: string, source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return [...code.matchAll(DECLARATION), ...code.matchAll(DYNAMIC)]
    .filter(([, , specifier]) => specifier!.startsWith("."))
    .map(([, type, specifier]) => ({ target: join(dirname(file), specifier!), loads: type === undefined }));
}

function roomOf(file: string): string {
  const [, first = "", second] = file.split("/");
  return second === undefined ? first.replace(/\.ts$/, "") : first;
}

function* forbidden(file: string, imports: readonly Import[]): Generator<string> {
  const room = roomOf(file);
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) {
    yield `${file}: the room "${room}" is not in the table of scripts/check-imports.ts`;
    return;
  }
  for (const { target } of imports) {
    if (!target.startsWith("src/")) yield `${file}: imports ${target}, which is not part of src`;
    else if (roomOf(target) !== room && !allowed.includes(roomOf(target))) {
      yield `${file}: imports ${target}; ${room} may import ${allowed.join(", ") || "no other room"}`;
    }
  }
}

function* circles(graph: ReadonlyMap<string, readonly Import[]>): Generator<string> {
  const done = new Set<string>();
  const path: string[] = [];
  function* visit(file: string): Generator<string> {
    const start = path.indexOf(file);
    if (start >= 0) yield `circle: ${[...path.slice(start), file].join(" → ")}`;
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const { target, loads } of graph.get(file) ?? []) if (loads) yield* visit(target);
    path.pop();
    done.add(file);
  }
  for (const file of graph.keys()) yield* visit(file);
}

/** Everything that is wrong with the imports of the files, given as path (`src/…`) → source. */
export function checkImports(files: ReadonlyMap<string, string>): string[] {
  const graph = new Map([...files].map(([file, source]) => [file, importsOf(file, source)]));
  return [...[...graph].flatMap(([file, imports]) => [...forbidden(file, imports)]), ...circles(graph)];
}

if (import.meta.main) {
  const paths = globSync("src/**/*.ts").sort();
  const problems = checkImports(new Map(paths.map((path) => [path, readFileSync(path, "utf8")])));
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log(`imports of ${paths.length} files are in order`);
  process.exit(problems.length === 0 ? 0 : 1);
}
