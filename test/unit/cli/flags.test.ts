import assert from "node:assert/strict";
import { test } from "node:test";
import { type Flag, UsageError } from "../../../src/cli/command.ts";
import { parseFlags } from "../../../src/cli/flags.ts";

const FLAGS: readonly Flag[] = [
  { name: "upstream", value: "ADDRESS", help: "" },
  { name: "listen", value: "ADDRESS", help: "", repeatable: true },
  { name: "level", value: "LEVEL", help: "", accepts: ["2.0", "2.1", "main"] },
  { name: "memory", help: "" },
];

function parse(...args: string[]): Record<string, readonly string[]> {
  return Object.fromEntries(parseFlags(args, FLAGS));
}

test("a value stands after a space or an equals sign", () => {
  assert.deepEqual(parse("--upstream", "h:1", "--level=main"), { upstream: ["h:1"], level: ["main"] });
});

test("a repeatable flag keeps its values in order", () => {
  assert.deepEqual(parse("--listen", "a:1", "--memory", "--listen=b:2"), {
    listen: ["a:1", "b:2"],
    memory: ["true"],
  });
});

test("a switch may be turned off", () => {
  assert.deepEqual(parse("--memory=false"), { memory: ["false"] });
});

test("help is known everywhere", () => {
  assert.deepEqual(parse("--help"), { help: ["true"] });
  assert.deepEqual(parse("-h"), { help: ["true"] });
});

test("a value that starts with a dash is written with an equals sign", () => {
  assert.deepEqual(parse("--upstream=-x"), { upstream: ["-x"] });
});

for (const [args, message] of [
  [["--upstrem", "h:1"], '--upstrem: there is no such flag; did you mean "--upstream"?'],
  [["--upstrem=h:1"], '--upstrem: there is no such flag; did you mean "--upstream"?'],
  [["--frobnicate"], "--frobnicate: there is no such flag"],
  [["-x"], "-x: there is no such flag"],
  [["--upstream"], "--upstream: needs a value: --upstream ADDRESS"],
  [["--upstream="], "--upstream: needs a value: --upstream ADDRESS"],
  [["--upstream", "--memory"], '--upstream: needs a value: --upstream ADDRESS (got "--memory")'],
  [["--upstream", "a:1", "--upstream", "b:1"], "--upstream: is given twice"],
  [["--memory=yes"], '--memory: is a switch and takes no value but true or false (got "yes")'],
  [["--level", "mian"], '--level: must be one of 2.0, 2.1, main (got "mian"); did you mean "main"?'],
  [["--memory", "serve"], 'unexpected argument "serve"'],
] as const) {
  test(`refused: ${args.join(" ")}`, () => {
    assert.throws(
      () => parse(...args),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.message, message);
        return true;
      },
    );
  });
}
