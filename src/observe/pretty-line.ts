/** What a person at a terminal does not need on every line. */
const HIDDEN = new Set(["level", "time", "pid", "msg", "err"]);

function shown(value: unknown): string {
  return typeof value === "string" && !/\s/.test(value) ? value : JSON.stringify(value);
}

/** A JSON log line as a line for people: time of day, severity, message, then `name=value`; an error's stack follows. */
export function prettyLine(line: string): string {
  const entry = JSON.parse(line) as { level: string; time: string; msg?: string; err?: { stack?: string } };
  const fields = Object.entries(entry)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => ` ${name}=${shown(value)}`);
  const stack = entry.err?.stack === undefined ? "" : `\n  ${entry.err.stack}`;
  return `${entry.time.slice(11, 23)} ${entry.level.padEnd(5)} ${entry.msg ?? ""}${fields.join("")}${stack}\n`;
}
