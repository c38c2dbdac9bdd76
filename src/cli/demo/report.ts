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

/** The targets of a build, one a line. */
export function buildText({ built, milliseconds }: BuildReport): string {
  const rows = built.map(({ target, cached, milliseconds: own, files }) => {
    const size = [...files.values()].reduce((sum, { digest }) => sum + Number(digest.sizeBytes), 0);
    const output = files.has(target.output) ? target.output : `${target.output}/`;
    return [target.name, cached ? "cache hit" : "ran", duration(own), output, bytes(size)];
  });
  const ran = built.filter(({ cached }) => !cached).length;
  const sum = `${ran} of ${built.length} actions ran; with uploads and downloads it took ${duration(milliseconds)}`;
  return `${table(rows, [2, 4])}  ${sum}\n`;
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
      row(method, ({ calls }) => String(calls.get(method) ?? "–"), purposes.get(method)),
    ),
    row("bytes from the client", ({ bytesUp }) => bytes(bytesUp)),
    row("bytes to the client", ({ bytesDown }) => bytes(bytesDown)),
  ];
  return `What travelled through the bridge\n${table(rows, [1, 2])}`;
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
