/** The OutputDirectories of an ActionResult. */
import { type Digest, encodeDigest, readDigest } from "../../wire/digest.ts";
import { rewriteField, rewriteMessage } from "../../wire/rewrite.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import type { Edit } from "../translator.ts";

/** ActionResult.output_directories, and the fields of an OutputDirectory. */
const DIRECTORIES = 3;
const DirectoryField = { path: 1, tree: 3, sorted: 4, root: 5 } as const;

/** One of them: what it names, null where it does not. */
export interface OutputDirectory {
  readonly path: string;
  readonly tree: Digest | null;
  readonly root: Digest | null;
  /** Tells one from the others. */
  readonly at: number;
}

/** What one of them gets in addition. A Tree that is added is sorted, and says so (D41). */
export type Addition = { readonly tree: Digest } | { readonly root: Digest };

/** The output directories of a result, in order. @throws WireError for broken bytes. */
export function outputDirectoriesIn(result: Buffer): OutputDirectory[] {
  const directories: OutputDirectory[] = [];
  const field = new Walker(result);
  while (field.next()) {
    if (field.number === DIRECTORIES && field.wireType === WireType.LEN)
      directories.push(read(field.enter(), field.fieldStart));
  }
  return directories;
}

/** The result with what is added to its output directories, by their `at`; null if nothing is. */
export function withAdditions(result: Buffer, additions: ReadonlyMap<number, Addition>): Edit {
  if (additions.size === 0) return null;
  return rewriteMessage(new Walker(result), (field, out) => {
    const added = field.number === DIRECTORIES ? additions.get(field.fieldStart) : undefined;
    if (added === undefined) return "keep";
    // Only an empty digest is dropped: none names anything yet.
    const dropped: readonly number[] =
      "tree" in added ? [DirectoryField.tree, DirectoryField.sorted] : [DirectoryField.root];
    return rewriteField(
      field,
      out,
      ({ number }) => (dropped.includes(number) ? "drop" : "keep"),
      (directory) => {
        if ("root" in added) {
          directory.bytes(DirectoryField.root, encodeDigest(added.root));
        } else {
          directory.bytes(DirectoryField.tree, encodeDigest(added.tree));
          directory.varint(DirectoryField.sorted, true);
        }
      },
    );
  });
}

function read(directory: Walker, at: number): OutputDirectory {
  let path = "";
  let tree: Digest | null = null;
  let root: Digest | null = null;
  while (directory.next()) {
    if (directory.wireType !== WireType.LEN) continue;
    if (directory.number === DirectoryField.path) path = directory.text();
    else if (directory.number === DirectoryField.tree) tree = named(readDigest(directory.enter()));
    else if (directory.number === DirectoryField.root) root = named(readDigest(directory.enter()));
  }
  return { path, tree, root, at };
}

/** A digest without a hash names nothing. */
function named(digest: Digest): Digest | null {
  return digest.hash === "" ? null : digest;
}
