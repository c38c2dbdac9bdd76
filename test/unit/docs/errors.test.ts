import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

// docs/errors.md and the source must name the same messages.

const FILES = [
  // Refusals are explained by their code.
  ...globSync("src/proxy/**/*.ts", { exclude: ["src/proxy/routing/cannot-merge.ts"] }),
  "src/http2/socket-problem.ts",
  "src/observe/log.ts",
  "src/index.ts",
  "src/plan/settings.ts",
];

/** What stands before messages that go to nobody outside: mistakes of the program, and the ends of calls that nobody waits for. */
const INTERNAL = /new (?:Range)?Error\(\s*$|(?:Status\.CANCELLED|ErrorCode\.NO_ERROR),\s*$/;

interface Literal {
  /** With `…` for what is filled in. */
  readonly text: string;
  readonly internal: boolean;
  /** The gRPC status that it goes out with, if that stands right before it. */
  readonly status: string | undefined;
}

function literals(source: string): Literal[] {
  const code = source
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^\s*\/\/.*$/gm, "")
    .replace(/^import .*$/gm, "");
  return [...code.matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)].map((match) => ({
    status: /Status\.([A-Z_]+),\s*$/.exec(code.slice(0, match.index))?.[1],
    text: (match[1] ?? match[2])!
      .replace(/\$\{[^}]*\}/g, "…")
      .replace(/…+/g, "…")
      .replace("\\n", ""),
    internal: INTERNAL.test(code.slice(0, match.index)),
  }));
}

const page = readFileSync("docs/errors.md", "utf8");
const inSource = FILES.flatMap((file) => literals(readFileSync(file, "utf8")));

test("every message in the source is explained", () => {
  const explained = new Set([...page.matchAll(/`([^`]+)`/g)].map(([, text]) => text));
  // Nothing else in these files has three words.
  const messages = inSource.filter(
    ({ text, internal }) => !internal && /[a-z]+ \S*[a-z]+\S* [^ ]/i.test(text),
  );
  assert.ok(messages.length > 50, "the source could not be read");
  const missing = messages.filter(({ text }) => !explained.has(text));
  assert.deepEqual(missing, []);
});

test("the statuses are those of the source", () => {
  const known = inSource.filter(({ status, internal }) => status !== undefined && !internal);
  assert.ok(known.length > 10, "the source could not be read");
  const wrong = known.filter(({ status, text }) => !page.includes(`| ${status} | \`${text}\` |`));
  assert.deepEqual(wrong, []);
});

test("every message that is explained exists", () => {
  const cells = [...page.matchAll(/^\| (?:[^|`]* \| )?`([^`]+)` \|/gm)].map(([, text]) => text);
  assert.ok(cells.length > 50, "the page could not be read");
  const existing = new Set(inSource.map(({ text }) => text));
  const gone = cells.filter((text) => !existing.has(text!));
  assert.deepEqual(gone, []);
});
