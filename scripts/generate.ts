/**
 * `npm run generate` writes everything that follows from `spec-data/`, and removes what no longer does; `npm run generate -- --check`
 * changes nothing, and exits with 1 after naming each file that is not as it would be written.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { codecSchema } from "./generate/codec-schema.ts";
import { loadDrift } from "./generate/drift.ts";
import { enumConstants } from "./generate/enum-constants.ts";
import { googleMessages, loadGoogle } from "./generate/google.ts";
import { loadHistory } from "./generate/history.ts";
import { ledger } from "./generate/ledger.ts";
import { messageTypes } from "./generate/message-types.ts";
import { methodTable } from "./generate/methods.ts";
import { protoComments } from "./generate/proto-comments.ts";
import { protoFiles } from "./generate/proto-files.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Folders that hold generated files and nothing else. */
const FOLDERS = ["protos", "src/spec/generated"];

const wanted = generatedFiles();
const present = new Map(
  FOLDERS.flatMap(filesBelow).map((path) => [path, readFileSync(join(ROOT, path), "utf8")]),
);
const differing = [...new Set([...wanted.keys(), ...present.keys()])].filter(
  (path) => wanted.get(path) !== present.get(path),
);
if (process.argv.includes("--check")) {
  for (const path of differing) console.error(`${path} is not what spec-data says; run npm run generate`);
  process.exitCode = differing.length === 0 ? 0 : 1;
} else {
  for (const path of differing) write(path, wanted.get(path));
}

/** Path → text of every file that follows from the facts. */
function generatedFiles(): Map<string, string> {
  const history = loadHistory();
  const google = loadGoogle();
  const schema = codecSchema(history, googleMessages(google));
  const lines = ledger(history, google, loadDrift());
  const files = new Map([
    ["src/spec/generated/enums.ts", enumConstants(history)],
    ["src/spec/generated/ledger.json", json(lines)],
    ["src/spec/generated/messages.ts", messageTypes(schema)],
    ["src/spec/generated/methods.json", json(methodTable(history, google))],
    ["src/spec/generated/schema.json", json(schema)],
  ]);
  for (const [folder, version] of [
    ["protos/v2.0", "2.0"],
    ["protos/v2.x", "main"],
  ] as const) {
    const comments = protoComments(history, version, lines);
    for (const [path, text] of Object.entries(protoFiles(history, version, comments))) {
      files.set(`${folder}/${path}`, text);
    }
  }
  return files;
}

/** One line for each entry of the top level: short enough to read, long enough to diff. */
function json(value: Record<string, unknown>): string {
  const lines = Object.entries(value).map(
    ([key, entry]) => `  ${JSON.stringify(key)}: ${JSON.stringify(entry)}`,
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}

function write(path: string, text: string | undefined): void {
  if (text === undefined) {
    rmSync(join(ROOT, path));
    console.log(`removed ${path}`);
    return;
  }
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), text);
  console.log(`wrote ${path}`);
}

function filesBelow(folder: string): string[] {
  mkdirSync(join(ROOT, folder), { recursive: true });
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}
