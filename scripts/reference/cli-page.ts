import { readFileSync } from "node:fs";
import type { Command } from "../../src/cli/command.ts";
import { COMMAND_NAMES, loadCommand } from "../../src/cli/commands.ts";
import { EXIT_CODES } from "../../src/cli/exit-code.ts";
import { SERVE_FLAGS } from "../../src/cli/serve-flags.ts";
import { ALL_OPTIONS, type Option, variableOf } from "../../src/config/options.ts";
import { SERVICE_GROUPS } from "../../src/config/service-names.ts";
import { table } from "./markdown.ts";

const SHORT_NAMES = Object.keys(SERVICE_GROUPS)
  .map((name) => `\`${name}\``)
  .join(", ");

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

const SECTIONS: readonly (readonly [string, string])[] = [
  [
    "`policy`",
    "`FEATURE: auto`, `off` or `require`, for the [features](features.md) that are not to be `auto`",
  ],
  [
    "`clients`",
    "a list of `listen`, `instance` and `profile`: the first whose `listen` (one of the addresses) and `instance` (whole segments that the instance name begins with) fit a call says what its client is",
  ],
  ["`upstreams`", "further servers by name, each with the keys of `upstream` or just its address"],
  [
    "`routes`",
    `a list of \`services\`, \`instance\`, \`upstream\` and \`rename\`: the first that fits a call says where it goes. \`services\` are ${SHORT_NAMES}, or full names of gRPC services; \`rename\` stands in place of \`instance\` in what the upstream sees; the \`upstream\` called \`default\` is that of \`--upstream\`, which also gets what no route takes`,
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
  const own = rows.length === 0 ? "" : table(["flag", "what it is"], rows);
  const flags = command.flags === SERVE_FLAGS ? "It has the options of `serve`.\n\n" : own;
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

Four sections have no flags; [operations.md](operations.md#several-servers) says what they are for:

${table(["section", "what it holds"], SECTIONS)}\

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
