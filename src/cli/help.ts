import type { Command, Flag } from "./command.ts";
import { EXIT_CODES } from "./exit-code.ts";
import { HELP_FLAG } from "./flags.ts";

const WIDTH = 100;

/** Breaks text into lines of at most `width` characters, at spaces. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Two columns; the right one is wrapped under itself. */
function table(rows: readonly (readonly [left: string, right: string])[]): string {
  const left = Math.max(...rows.map(([name]) => name.length)) + 4;
  const lines = rows.flatMap(([name, text]) =>
    wrap(text, WIDTH - left).map((line, i) => `${(i === 0 ? `  ${name}` : "").padEnd(left)}${line}`),
  );
  return `${lines.join("\n")}\n`;
}

function flagRow(flag: Flag): [string, string] {
  const name = flag === HELP_FLAG ? "-h, --help" : `--${flag.name}`;
  return [flag.value === undefined ? name : `${name} ${flag.value}`, flag.help];
}

function flagSections(flags: readonly Flag[]): string {
  const groups = Map.groupBy([...flags, HELP_FLAG], (flag) => flag.group ?? "Flags");
  return [...groups].map(([group, members]) => `\n${group}\n${table(members.map(flagRow))}`).join("");
}

function exitCodes(): string {
  return `\nExit codes\n${table(EXIT_CODES.map(([code, meaning]) => [String(code), meaning]))}`;
}

/** The help of one command. `others` are listed too: given for the default command, whose help is that of the program. */
export function helpText(command: Command, others: readonly Command[]): string {
  if (others.length === 0) {
    const usage = `Usage: reapi-bridge ${command.name}${command.flags.length > 0 ? " [FLAGS]" : ""}\n`;
    return `${command.about}\n\n${usage}${flagSections(command.flags)}`;
  }
  const commands = [command, ...others].map((c): [string, string] => [c.name, c.summary]);
  return (
    `${command.about}\n\n` +
    `Usage: reapi-bridge [COMMAND] [FLAGS]\n\nCommands\n${table(commands)}` +
    `${flagSections(command.flags)}${exitCodes()}\n` +
    "Help of a command: reapi-bridge COMMAND --help\n"
  );
}
