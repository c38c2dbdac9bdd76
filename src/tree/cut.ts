/** Looks into a `Tree` by path, as a file system would. */
import { digestIn, type Entry, entriesOf, targetIn } from "./directory.ts";
import type { TreeMessage } from "./tree-message.ts";

/** What lies at a path: a file or a symlink with its node, or a directory itself. */
export type Found =
  | { readonly kind: "file" | "symlink"; readonly node: Buffer }
  | { readonly kind: "directory"; readonly directory: Buffer };

/** As many links as systems follow on the way to one file. */
const MOST_LINKS = 40;

/** Cuts out of one Tree. Directories are read when a path first leads into them, each once. */
export class TreeCutter {
  private readonly tree: TreeMessage;
  private readonly entries = new Map<Buffer, ReadonlyMap<string, Entry>>();

  constructor(tree: TreeMessage) {
    this.tree = tree;
  }

  /**
   * What is at a path from the root, "" being the root itself. Links on the way are followed; one at the end is found as such unless
   * `follow` says otherwise. Null for nothing, for links that lead out of the Tree, and for those that lead in a circle.
   * @throws WireError for broken directories, and `tree` for missing ones.
   */
  at(path: string, follow = false): Found | null {
    const way: Buffer[] = [this.tree.root];
    const left = path.split("/").reverse();
    let links = 0;
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (way.length === 1) return null;
        way.pop();
        continue;
      }
      const entry = this.entriesOf(way.at(-1)!).get(name);
      if (entry === undefined) return null;
      const { kind, node } = entry;
      const isLast = left.length === 0;
      if (kind === "directory") {
        way.push(this.tree.directory(digestIn(node)));
        continue;
      }
      if (isLast && (kind === "file" || !follow)) return { kind, node };
      if (kind === "file") return null;
      const target = targetIn(node);
      if (target.startsWith("/") || ++links > MOST_LINKS) return null;
      left.push(...target.split("/").reverse());
    }
    return { kind: "directory", directory: way.at(-1)! };
  }

  private entriesOf(directory: Buffer): ReadonlyMap<string, Entry> {
    let entries = this.entries.get(directory);
    if (entries === undefined) {
      entries = new Map(entriesOf(directory).map((entry) => [entry.name, entry]));
      this.entries.set(directory, entries);
    }
    return entries;
  }
}
