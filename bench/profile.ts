/** Where a CPU profile of V8 says the time went. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

function label({ callFrame: { functionName, url, lineNumber } }: Node): string {
  const file = url.replace(/^.*\/(?=(src|dist)\/)/, "").replace(/^file:\/\//, "");
  return `${functionName || "(anonymous)"}${file === "" ? "" : ` ${file}:${lineNumber + 1}`}`;
}

/** The functions with the most time of their own, as lines of text with their share of the time that was not idle. */
export function topFunctions(path: string, count: number): string[] {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, "utf8")) as Profile;
  const labels = new Map(nodes.map((node) => [node.id, label(node)]));
  const own = new Map<string, number>();
  samples.forEach((id, index) => {
    const name = labels.get(id)!;
    own.set(name, (own.get(name) ?? 0) + timeDeltas[index]!);
  });
  own.delete("(idle)");
  const total = [...own.values()].reduce((sum, time) => sum + time, 0);
  return [...own]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`);
}

/** Every profile in a directory, by name. */
export function profilesIn(dir: string): string[] {
  return globSync(join(dir, "*.cpuprofile")).sort();
}
