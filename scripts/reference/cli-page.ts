import { readFileSync } from "node:fs";
import type { Command } from "../../src/cli/command.ts";
import { COMMAND_NAMES, loadCommand } from "../../src/cli/commands.ts";
import { EXIT_CODES } from "../../src/cli/exit-code.ts";
import { ALL_OPTIONS, type Option, variableOf } from "../../src/config/options.ts";
import { table } from "./markdown.ts";

const ADDRESSES: readonly (readonly [string, string])[] = [
  [
    "`HOST:PORT`, `grpc://HOST:PORT`",
    "cleartext HTTP/2 with prior knowledge; IPv6 in brackets: `[::1]:8980`",
  ],
  [
    "`grpcs://HOST[:PORT]`",
    "TLS, for `--upstream` only; the port is 443 if left out. Clients get TLS with `--tls-cert` and `--tls-key`",
  ],
  ["`unix:PATH`, `unix:///PATH`", "a Unix socket"],
  [
    "`embedded[:LEVEL]`, `embedded:SERVER`",
    "for `--upstream` only: a small server inside the bridge, of that API level (the newest if left out) or one that plays a known server: `embedded:buildbarn@2026-03-26`",
  ],
];

const SIGNALS: readonly (readonly [string, string])[] = [
  [
    "SIGTERM, SIGINT",
    "`/ready` says no at once; new connections are still served for `--drain-min`; then clients are asked to go elsewhere, running calls may end, and after `--drain-max` are cut",
  ],
  ["a second one", "ends the process at once"],
];

const ADMIN: readonly (readonly [string, string])[] = [
  ["`/live`", "200 while the process runs"],
  ["`/ready`", "200 while the bridge takes calls, else 503; the body says why"],
  ["`/metrics`", "counters in the Prometheus text format: [metrics.md](metrics.md)"],
];

function optionRow(option: Option): string[] {
  const value = option.kind.placeholder === "" ? "" : ` ${option.kind.placeholder}`;
  return [
    option.noFlag ? "" : `\`--${option.name}${value}\``,
    `\`${variableOf(option)}\``,
    `\`${option.key}\``,
    option.default === undefined ? "" : `\`${option.default}\``,
    option.list ? `${option.help}; repeatable` : option.help,
  ];
}

function optionTables(): string {
  const groups = Map.groupBy(ALL_OPTIONS, (option) => option.group);
  const head = ["flag", "variable", "key in the file", "default", "what it is"];
  return [...groups]
    .map(([group, options]) => `### ${group}\n\n${table(head, options.map(optionRow))}`)
    .join("");
}

function commandSection(command: Command): string {
  const rows = command.flags.map((flag) => [
    `\`--${flag.name}${flag.value === undefined ? "" : ` ${flag.value}`}\``,
    flag.help,
  ]);
  const flags = rows.length === 0 ? "" : table(["flag", "what it is"], rows);
  return `### ${command.name}\n\n\`\`\`text\n${command.about}\n\`\`\`\n\n${flags}`;
}

/** The text of `docs/cli.md`. */
export async function cliPage(): Promise<string> {
  const all = await Promise.all(COMMAND_NAMES.map(loadCommand));
  const commands = all.filter((command) => command !== undefined);
  const example = readFileSync(new URL("../../config/examples/tls.yaml", import.meta.url), "utf8");
  return `\
<!-- Written by scripts/generate-reference.ts from the option table and the commands: change those. -->

# The command line

${table(
  ["command", "what it does"],
  commands.map(({ name, summary }) => [`\`reapi-bridge ${name}\``, summary]),
)}\
From a checkout \`npm start --\` stands for \`reapi-bridge\`.

## Options of \`serve\`

A flag wins over a variable, a variable over the file (\`--config FILE\` or \`REAPI_BRIDGE_CONFIG\`), the file over the default. A
list comes from one of them as a whole; in a variable its parts are separated by commas. An empty variable counts as not set.
A size is a number of bytes or one with \`KiB\`, \`MiB\` or \`GiB\`; a time has \`ms\`, \`s\`, \`m\` or \`h\`. What has no flag is
rarely needed.

${optionTables()}\
## Addresses

${table(["written", "means"], ADDRESSES)}\
## The file

YAML or JSON. Unknown keys and wrong values are errors that name the line. Paths are relative to the file. Where only the address
of the upstream matters, \`upstream: HOST:PORT\` is enough. Editors that know JSON schemas complete it with the first line of this
example:

\`\`\`yaml
${example}\`\`\`

## Admin listener

${table(["path", "answer"], ADMIN)}\
## Signals

${table(["signal", "what happens"], SIGNALS)}\
## Exit codes

${table(
  ["code", "meaning"],
  EXIT_CODES.map(([code, meaning]) => [String(code), meaning]),
)}\
## Other commands

${commands.slice(1).map(commandSection).join("").trimEnd()}
`;
}
