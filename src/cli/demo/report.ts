/** What the demo tells its reader. */
import type { BuiltTarget } from "./build.ts";
import type { Traffic } from "./traffic.ts";

/** What a build uses each call for, in the order in which it needs them. */
const PURPOSES: readonly (readonly [method: string, purpose: string])[] = [
  ["Capabilities.GetCapabilities", "what can the server do?"],
  ["ActionCache.GetActionResult", "has this action run before?"],
  ["ContentAddressableStorage.FindMissingBlobs", "which inputs does the server lack?"],
  ["ContentAddressableStorage.BatchUpdateBlobs", "small blobs up"],
  ["ByteStream.Write", "a large blob up"],
  ["Execution.Execute", "run the action, tell how it proceeds"],
  ["ContentAddressableStorage.BatchReadBlobs", "small blobs down"],
  ["ByteStream.Read", "a large blob down"],
];

/** One build and what it took. */
export interface BuildReport {
  readonly built: readonly BuiltTarget[];
  readonly milliseconds: number;
  readonly traffic: Traffic;
}

/** Rows as lines, two spaces in, columns aligned: texts to the left, numbers (those named in `right`) to the right. */
function table(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("   ");
  return rows.map((row) => `  ${line(row).trimEnd()}\n`).join("");
}

/** The targets of two builds of the same, one a line, with what became of each, and what the builds took. */
export function buildsText(first: BuildReport, second: BuildReport): string {
  const rows = first.built.map(({ target, files, ...built }, i) => {
    const size = [...files.values()].reduce((sum, { digest }) => sum + Number(digest.sizeBytes), 0);
    const output = files.has(target.output) ? target.output : `${target.output}/`;
    return [target.name, ...[built, second.built[i]!].map(fateText), output, bytes(size)];
  });
  const header = ["target", "first build", "second build", "output", "size"];
  const sum = `${sumText(first)}, the second time ${sumText(second)}`;
  return `${table([header, ...rows], [4])}  ${sum}\n`;
}

function fateText({ cached, milliseconds }: Pick<BuiltTarget, "cached" | "milliseconds">): string {
  return `${cached ? "from the cache" : "ran"}, ${duration(milliseconds)}`;
}

function sumText({ built, milliseconds }: BuildReport): string {
  const ran = built.filter(({ cached }) => !cached).length;
  return `${ran} of ${built.length} actions ran in ${duration(milliseconds)}`;
}

/** What travelled in each of two builds, side by side. */
export function trafficText(first: Traffic, second: Traffic): string {
  const both = [first, second] as const;
  const row = (name: string, cell: (traffic: Traffic) => string, note = "") => [
    name,
    ...both.map(cell),
    note,
  ];
  const purposes = new Map(PURPOSES);
  const seen = new Set([...purposes.keys(), ...both.flatMap(({ calls }) => [...calls.keys()])]);
  const rows = [
    ["", "first build", "second build", ""],
    ...[...seen].map((method) =>
      row(shortName(method), ({ calls }) => String(calls.get(method) ?? "–"), purposes.get(method)),
    ),
    row("bytes from the client", ({ bytesUp }) => bytes(bytesUp)),
    row("bytes to the client", ({ bytesDown }) => bytes(bytesDown)),
  ];
  return `What travelled through the bridge\n${table(rows, [1, 2])}`;
}

/** The store is where most methods are. */
function shortName(method: string): string {
  return method.replace(/^ContentAddressableStorage\./, "");
}

/** A length of time for people: `12 ms`, `1.3 s`. */
export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.ceil(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** A number of bytes for people, in powers of 1000: `58 B`, `4.2 kB`, `3.4 MB`. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)} kB` : `${(count / 1_000_000).toFixed(1)} MB`;
}
