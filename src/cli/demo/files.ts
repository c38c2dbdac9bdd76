/** Files by path, as build tools think of them, and trees of Directory messages, as the API does. */
import { codec, type Draft } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { type Blob, blobOf, type Digest } from "./blob.ts";
import type { Path } from "./phrase-book.ts";

type Directory = Messages["build.bazel.remote.execution.v2.Directory"];

/** A file whose content is on the server, or about to be. */
export interface RemoteFile {
  readonly digest: Digest;
  readonly executable: boolean;
}

const DIRECTORY = "build.bazel.remote.execution.v2.Directory";

/** The Directory messages for files, and the digest of their root. */
export function inputTree(files: ReadonlyMap<Path, RemoteFile>): { root: Digest; directories: Blob[] } {
  const directories: Blob[] = [];
  const addDirectory = (inside: readonly (readonly [Path, RemoteFile])[]): Digest => {
    const groups = Map.groupBy(inside.toSorted(byPath), ([path]) => path.split("/", 1)[0]!);
    const nodes = { files: [] as Node<"FileNode">[], directories: [] as Node<"DirectoryNode">[] };
    for (const [name, group] of groups) {
      const [[path, file]] = group as [readonly [Path, RemoteFile]];
      if (path === name) nodes.files.push({ name, digest: file.digest, isExecutable: file.executable });
      else {
        const below = group.map(([each, content]) => [each.slice(name.length + 1), content] as const);
        nodes.directories.push({ name, digest: addDirectory(below) });
      }
    }
    const blob = blobOf(codec().encode(DIRECTORY, nodes));
    directories.push(blob);
    return blob.digest;
  };
  return { root: addDirectory([...files]), directories };
}

type Node<Name extends "FileNode" | "DirectoryNode"> = Draft<
  Messages[`build.bazel.remote.execution.v2.${Name}`]
>;

function byPath([a]: readonly [Path, unknown], [b]: readonly [Path, unknown]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The files of a Tree whose root is at `base`. */
export function flatten(
  { root, children }: Messages["build.bazel.remote.execution.v2.Tree"],
  base: Path,
): Map<Path, RemoteFile> {
  const byHash = new Map(
    children.map((child) => [blobOf(codec().encode(DIRECTORY, child)).digest.hash, child]),
  );
  const files = new Map<Path, RemoteFile>();
  const visit = (directory: Directory | null | undefined, path: Path): void => {
    for (const { name, digest, isExecutable } of directory?.files ?? []) {
      if (digest !== null) files.set(`${path}/${name}`, { digest, executable: isExecutable });
    }
    for (const { name, digest } of directory?.directories ?? []) {
      visit(byHash.get(digest?.hash ?? ""), `${path}/${name}`);
    }
  };
  visit(root, base);
  return files;
}
