/** Trees of Directory messages, as clients make them of the inputs of an action. */
import { type Codec, codec, type Draft } from "../spec/codec.ts";
import type { Messages } from "../spec/generated/messages.ts";
import { nodeProperties, type PropertyForm } from "./attributes.ts";
import { type Blob, blobOf, type Digest, SHA256 } from "./blob.ts";
import type { Entry, Path, TreeForm } from "./directories.ts";

/** How directories are written. */
export interface InputForm extends TreeForm {
  /** No attributes by default. */
  readonly properties?: PropertyForm;
}

type Located = readonly [path: Path, entry: Entry];
type Node<Name extends "DirectoryNode" | "FileNode" | "SymlinkNode"> = Draft<
  Messages[`build.bazel.remote.execution.v2.${Name}`]
>;

/**
 * The Directory messages for inputs, children before parents, and the digest of their root. Directories that lead to an input need no
 * entry of their own; one of a directory makes it even if nothing is in it, and gives it attributes. The path of the root is "".
 */
export function inputTree(
  entries: ReadonlyMap<Path, Entry>,
  form: InputForm = { codec: codec(), digestFunction: SHA256 },
): { root: Digest; directories: Blob[] } {
  const writer = new TreeWriter(form);
  const root = writer.add(
    [...entries].filter(([path]) => path !== ""),
    entries.get(""),
  );
  return { root, directories: writer.directories };
}

class TreeWriter {
  readonly directories: Blob[] = [];
  readonly #codec: Codec;
  readonly #form: InputForm;

  constructor(form: InputForm) {
    this.#codec = form.codec;
    this.#form = form;
  }

  /** Adds a directory; paths of what is in it start there. */
  add(inside: readonly Located[], own: Entry | undefined): Digest {
    const nodes = {
      files: [] as Node<"FileNode">[],
      directories: [] as Node<"DirectoryNode">[],
      symlinks: [] as Node<"SymlinkNode">[],
    };
    const groups = Map.groupBy(inside, ([path]) => path.split("/", 1)[0]!);
    for (const [name, group] of [...groups].sort(([a], [b]) => byBytes(a, b))) {
      const entry = group.find(([path]) => path === name)?.[1];
      if (entry?.kind === "file") {
        const { digest, executable } = entry;
        nodes.files.push({ name, digest, isExecutable: executable, ...this.#properties(entry) });
      } else if (entry?.kind === "symlink") {
        nodes.symlinks.push({ name, target: entry.target, ...this.#properties(entry) });
      } else {
        const below = group
          .filter(([path]) => path !== name)
          .map(([path, each]) => [path.slice(name.length + 1), each] as const);
        nodes.directories.push({ name, digest: this.add(below, entry) });
      }
    }
    const message = { ...nodes, ...this.#properties(own) };
    const blob = blobOf(
      this.#codec.encode("build.bazel.remote.execution.v2.Directory", message),
      this.#form.digestFunction,
    );
    this.directories.push(blob);
    return blob.digest;
  }

  #properties(entry: Entry | undefined) {
    return nodeProperties(entry?.attributes, this.#form.properties);
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
