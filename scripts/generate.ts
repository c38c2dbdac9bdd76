/**
 * `npm run generate` writes everything that follows from `spec-data/`; `-- --check` writes nothing, and exits with 1 naming
 * each file that differs from what would be written.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { codecSchema } from "./generate/codec-schema.ts";
import { loadDrift } from "./generate/drift.ts";
import { googleMessages, loadGoogle } from "./generate/google.ts";
import { loadHistory } from "./generate/history.ts";
import { ledger } from "./generate/ledger.ts";
import { messageTypes } from "./generate/message-types.ts";
import { methodTable } from "./generate/methods.ts";
import { protoComments } from "./generate/proto-comments.ts";
import { protoFiles } from "./generate/proto-files.ts";

const history = loadHistory();
const google = loadGoogle();
const drift = loadDrift();
const schema = codecSchema(history, googleMessages(google));
const lines = ledger(history, google, drift);

const files: Record<string, string> = {
  "src/spec/generated/ledger.json": json(lines),
  "src/spec/generated/methods.json": json(methodTable(history, google)),
  "src/spec/generated/schema.json": json(schema),
  "src/spec/generated/messages.ts": messageTypes(schema),
};

for (const [folder, version] of [
  ["protos/v2.0", "2.0"],
  ["protos/v2.x", "main"],
] as const) {
  const comments = protoComments(history, version, lines);
  for (const [path, text] of Object.entries(protoFiles(history, version, comments)))
    files[`${folder}/${path}`] = text;
}

const differing = Object.entries(files).filter(([path, text]) => read(path) !== text);
if (process.argv.includes("--check")) {
  for (const [path] of differing)
    console.error(`${path} differs from what spec-data says; run npm run generate`);
  process.exitCode = differing.length === 0 ? 0 : 1;
} else {
  for (const [path, text] of differing) {
    mkdirSync(dirname(absolute(path)), { recursive: true });
    writeFileSync(absolute(path), text);
    console.log(`wrote ${path}`);
  }
}

/** One line for each entry of the top level: short enough to read, long enough to diff. */
function json(value: Record<string, unknown>): string {
  const lines = Object.entries(value).map(
    ([key, entry]) => `  ${JSON.stringify(key)}: ${JSON.stringify(entry)}`,
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}

function read(path: string): string | null {
  try {
    return readFileSync(absolute(path), "utf8");
  } catch {
    return null;
  }
}

function absolute(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}
