import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { COMMAND_NAMES, loadCommand } from "../../../src/cli/commands.ts";
import { EXIT_CODES } from "../../../src/cli/exit-code.ts";
import { run } from "../../../src/cli/run.ts";
import { SERVE_FLAGS } from "../../../src/cli/serve-flags.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";

interface Outcome {
  code: number;
  out: string;
  err: string;
}

async function cli(...argv: string[]): Promise<Outcome> {
  const outcome = { code: -1, out: "", err: "" };
  outcome.code = await run(argv, {
    env: {},
    print: (text) => {
      outcome.out += text;
    },
    printError: (text) => {
      outcome.err += text;
    },
    stop: AbortSignal.abort("SIGTERM"),
  });
  return outcome;
}

test("version names this package and the runtime", async () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const expected = { code: 0, out: `reapi-bridge ${version} (Node.js ${process.version})\n`, err: "" };
  assert.deepEqual(await cli("version"), expected);
  assert.deepEqual(await cli("--version"), expected);
});

test("help opens with what the bridge does and a minimal run", async () => {
  const { code, out, err } = await cli("--help");
  assert.deepEqual([code, err], [0, ""]);
  const [about = "", run = ""] = out.split("\n\n");
  assert.match(about.replaceAll("\n", " "), /^reapi-bridge stands between a client of the .* and a server/);
  assert.match(run, /^ {2}reapi-bridge --upstream buildfarm:8980$/m);
  for (const name of COMMAND_NAMES) assert.match(out, new RegExp(`^ {2}${name} +\\w`, "m"));
  for (const [exit] of EXIT_CODES) assert.match(out, new RegExp(`^ {2}${exit} +\\w`, "m"));
});

test("help fits a terminal", async () => {
  for (const name of COMMAND_NAMES) {
    const { out } = await cli(name, "--help");
    for (const line of out.split("\n")) assert.ok(line.length <= 110, line);
  }
});

test("every command has help of its own, however it is asked for", async () => {
  for (const name of COMMAND_NAMES) {
    const { code, out } = await cli(name, "--help");
    assert.equal(code, 0);
    const command = await loadCommand(name);
    assert.ok(out.startsWith(command!.about));
    for (const flag of command!.flags) assert.ok(out.includes(`  --${flag.name}`), flag.name);
    assert.equal((await cli("help", name)).out, out);
  }
});

for (const [argv, message] of [
  [["srve"], 'there is no command "srve"; did you mean "serve"?'],
  [["dance"], 'there is no command "dance"; commands are serve, check, embedded, explain, demo, version'],
  [
    ["buildfarm:8980"],
    'there is no command "buildfarm:8980"; to bridge to a server: --upstream buildfarm:8980',
  ],
  [["--upstrem", "h:1"], '--upstrem: there is no such flag; did you mean "--upstream"?'],
] as const) {
  test(`refused with exit code 2: ${argv.join(" ")}`, async () => {
    assert.deepEqual(await cli(...argv), {
      code: 2,
      out: "",
      err: `reapi-bridge: ${message}\nTry: reapi-bridge --help\n`,
    });
  });
}

test("what is wrong with another command points to its own help", async () => {
  assert.deepEqual(await cli("version", "now"), {
    code: 2,
    out: "",
    err: 'reapi-bridge: unexpected argument "now"\nTry: reapi-bridge version --help\n',
  });
});

test("wrong values are told line by line, with exit code 2", async () => {
  assert.deepEqual(await cli("--upstream", "h", "--workers", "0"), {
    code: 2,
    out: "",
    err:
      'reapi-bridge: --upstream: names no port; write HOST:PORT (got "h")\n' +
      'reapi-bridge: --workers: must be a whole number from 1 to 256 (got "0")\n',
  });
});

// Few switches: who adds one takes this line as a question.
test("few switches: features and peers add none, they have the policy and profiles of the file", async () => {
  // Raise these numbers for what is no feature, and think twice.
  assert.equal(SERVE_FLAGS.length, 22);
  const commands = await Promise.all(COMMAND_NAMES.map(loadCommand));
  const all = new Set(commands.flatMap((command) => command!.flags.map(({ name }) => name)));
  assert.equal(all.size, 34);
  const ids = TRANSLATORS.map(({ feature }) => feature.id);
  assert.ok(ids.length > 30, "the features could not be read");
  assert.deepEqual(
    [...all].filter((flag) => ids.some((id) => flag.includes(id))),
    [],
  );
});
