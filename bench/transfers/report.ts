/** What transfers cost, as tables. */
import type { Setting } from "../report.ts";
import { significant, table } from "../table.ts";
import type { TransferResults } from "./measure-transfers.ts";

/** The heading under which the document has all of this. */
export const TRANSFERS_HEADING = "## What transfers cost";

/** A row for each way, and one for what is not a way of the blob. */
export function transferTable({ transfers, beside, many }: TransferResults): string {
  const times = (value: number | null): string => (value === null ? "–" : significant(value));
  const ways = table(
    ["case", "CPU s/GiB", "× relay", "× zstd command", "MiB/s"],
    transfers.map(({ name, cpuPerGiB, timesRelay, timesCommand, mebibytesPerSecond }) => [
      name,
      significant(cpuPerGiB),
      times(timesRelay),
      times(timesCommand),
      significant(mebibytesPerSecond),
    ]),
  );
  const calls = table(
    ["p50 of small calls, ms", "× alone"],
    [
      [`alone: ${significant(beside.alone)}`, "–"],
      [`beside four downloads: ${significant(beside.relayed)}`, significant(beside.relayed / beside.alone)],
      [
        `beside four that are compressed: ${significant(beside.compressed)}`,
        significant(beside.compressed / beside.alone),
      ],
    ],
  );
  const digests = table(
    ["FindMissingBlobs of 100,000 digests", "ms", "bridge CPU ms"],
    [
      ["direct, in one call", significant(many.direct), "–"],
      [
        "through the bridge, in as many as the upstream takes",
        significant(many.bridged),
        significant(many.cpu),
      ],
    ],
  );
  return `${ways}\n\n${calls}\n\n${digests}`;
}

/** The part of the document about transfers. */
export function transferSection(results: TransferResults, setting: Setting): string {
  const { date, machine, loadAverage, versions, rounds } = setting;
  const listed = results.transfers.map(({ name, title }) => `- ${name}: ${title}`);
  return `${TRANSFERS_HEADING}

Written by \`npm run bench -- --transfers\`; do not edit. ${date}, ${machine}, load average ${loadAverage.toFixed(1)} when it began.

${versions.map((line) => `- ${line}`).join("\n")}

${listed.join("\n")}

- The blob is the first ${results.megabytes} MiB of a program. Bytes are those of the blob, compressed or not; CPU is the bridge's, its threads for
  compression included, on one core. Medians of ${rounds} rounds after one that only warms up, in random order; "× relay" is the median of the
  ratios within a round. "× zstd command" compares with the CPU of \`zstd\` at its default level on one core.
- Small calls are FindMissingBlobs of two digests, one after the other, relayed, on a connection of their own.

${transferTable(results)}
`;
}
