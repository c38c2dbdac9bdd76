/** What a client finds in a result: only the lists it reads (D24, D25, D40). */
import type { Codec } from "../spec/codec.ts";
import type { Api } from "./api.ts";
import { type Attributes, attributesOf } from "./attributes.ts";
import type { Digest } from "./blob.ts";
import { type Entry, listDirectory, listTree } from "./directories.ts";
import type { Manner } from "./manner.ts";

/** An output; `entries` are by path from the directory. */
export type Output = { readonly attributes?: Attributes } & (
  | { readonly kind: "file"; readonly content: Buffer; readonly executable: boolean }
  | { readonly kind: "directory"; readonly entries: ReadonlyMap<string, Entry> }
  | { readonly kind: "symlink"; readonly target: string }
);

/** Reads blobs by digest, in order. */
export type ReadBlobs = (digests: readonly Digest[]) => Promise<readonly Buffer[]>;

/** The outputs in a result by their paths, with what has to be read for them. Throws as `read` does, and for broken messages. */
export async function readOutputs(
  result: Api<"ActionResult">,
  manner: Manner,
  codec: Codec,
  read: ReadBlobs,
): Promise<Map<string, Output>> {
  const outputs = new Map<string, Output>();
  const inline = result.outputFiles.filter(({ contents }) => contents.length > 0);
  const remote = result.outputFiles.filter(
    ({ digest, contents }) => digest !== null && contents.length === 0,
  );
  const addFile = (file: Api<"OutputFile">, content: Buffer) =>
    outputs.set(file.path, {
      kind: "file",
      content,
      executable: file.isExecutable,
      ...attributesOf(file),
    });
  for (const file of inline) addFile(file, Buffer.from(file.contents));
  const contents = await read(remote.map(({ digest }) => digest!));
  for (const [i, file] of remote.entries()) addFile(file, contents[i]!);
  for (const directory of result.outputDirectories) {
    const entries = await entriesOf(directory, manner, codec, read);
    if (entries !== null) outputs.set(directory.path, { kind: "directory", entries });
  }
  const links = manner.reads.symlinks.flatMap((list) =>
    list === "unified"
      ? result.outputSymlinks
      : [...result.outputFileSymlinks, ...result.outputDirectorySymlinks],
  );
  for (const link of links) {
    outputs.set(link.path, { kind: "symlink", target: link.target, ...attributesOf(link) });
  }
  return outputs;
}

/** Null if the directory is in no form that the client reads. */
async function entriesOf(
  { treeDigest, rootDirectoryDigest }: Api<"OutputDirectory">,
  { reads, digestFunction }: Manner,
  codec: Codec,
  read: ReadBlobs,
): Promise<Map<string, Entry> | null> {
  const load = async (digest: Digest): Promise<Buffer> => (await read([digest]))[0]!;
  for (const form of reads.directories) {
    const digest = form === "tree" ? treeDigest : rootDirectoryDigest;
    if (digest === null) continue;
    const bytes = await load(digest);
    return form === "tree" ? listTree(bytes, { codec, digestFunction }) : listDirectory(bytes, load, codec);
  }
  return null;
}
