import assert from "node:assert/strict";
import { test } from "node:test";
import { columns, paperOf, styled, wrapped } from "../../../src/cli/paper.ts";

const PAPER = { width: 20, colours: false };

test("text is as wide as the terminal, within bounds", () => {
  assert.equal(paperOf({ isTTY: true, columns: 90 }, {}).width, 90);
  assert.equal(paperOf({ isTTY: true, columns: 40 }, {}).width, 80);
  assert.equal(paperOf({ isTTY: true, columns: 300 }, {}).width, 120);
  assert.equal(paperOf({}, {}).width, 100);
});

test("colours are for terminals of people who do not mind them", () => {
  const colours = (isTTY: boolean, NO_COLOR?: string) =>
    paperOf({ isTTY }, NO_COLOR === undefined ? {} : { NO_COLOR }).colours;
  assert.deepEqual(
    [colours(true), colours(true, ""), colours(true, "1"), colours(false)],
    [true, true, false, false],
  );
  assert.equal(styled("x", "red", PAPER), "x");
  assert.equal(styled("x", "red", { ...PAPER, colours: true }), "\x1b[31mx\x1b[0m");
});

test("lines break at spaces and go on under the label", () => {
  assert.equal(wrapped("to: ", "one two three four five", PAPER), "to: one two three\n    four five\n");
  assert.equal(wrapped("", "", PAPER), "\n");
});

test("a word that is wider than the paper stays whole", () => {
  assert.equal(wrapped("  ", `a ${"x".repeat(30)} b`, PAPER), `  a\n  ${"x".repeat(30)}\n  b\n`);
});

test("columns are as wide as they need to be, without spaces at the end", () => {
  assert.deepEqual(
    columns([
      ["a", "bbb", ""],
      ["aaaa", "b", "c"],
    ]),
    ["a     bbb", "aaaa  b    c"],
  );
  assert.deepEqual(columns([]), []);
});
