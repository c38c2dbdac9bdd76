/** Makes outputs of what lies within an output directory (D24, D29): the entries that a result would have had for them. */
import { type Found, TreeCutter } from "../tree/cut.ts";
import { MOST_TREE_BYTES, makeTree, TreeMessage } from "../tree/tree-message.ts";
import type { Blob } from "../upstream/port.ts";
import { type Digest, encodeDigest, formatDigest, readDigest } from "../wire/digest.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { type Output, Outputs, ResultOutputs, renamed } from "./output-links.ts";
import type { Derived, Originals, Pair } from "./translator.ts";

/** The rule by which outputs are cut, for what is remembered of it: another one has another name. */
const RULE = "cut 1";

/** An output that lies within an output directory. */
export interface Wanted {
  /** As the client names it. */
  readonly path: string;
  /** From that directory on; "" is the directory itself. */
  readonly below: string;
  /** What the Command declares it to be, where it says. */
  readonly kind?: "file" | "directory";
}

/** The lists in which links are entered; without a list, what they lead to stands in their place, as it does with servers that follow links. */
export type LinkLists = readonly ("unified" | "typed")[];

/** The lists in which a client looks for links, given the one that goes with how its Command declares outputs (D25). */
export function linkLists({ client }: Pair, declared: "unified" | "typed"): LinkLists {
  const reads = client.features["output-symlinks"]?.reads ?? ["both"];
  if (reads.includes("declared") || reads.includes(declared)) return [declared];
  const other = declared === "unified" ? "typed" : "unified";
  if (reads.includes(other)) return [other];
  return reads.includes("both") ? ["typed", "unified"] : [];
}

/**
 * The outputs that lie in `directory`, an entry of a result; those that do not exist are left out. Trees of directories are stored, and remembered
 * by the digest of the Tree they come from.
 * @throws what `refuse` makes of a Tree that is too long, or missing, in words that follow the name of the directory; UpstreamError and WireError as reading it does.
 */
export async function cutOutputs(
  directory: Output,
  wanted: readonly Wanted[],
  lists: LinkLists,
  originals: Originals,
  refuse: (why: string) => Error,
): Promise<readonly Output[]> {
  const digest = treeDigestOf(directory.bytes);
  if (digest === null) throw refuse("without a Tree");
  if (digest.sizeBytes > MOST_TREE_BYTES)
    throw refuse(`with a Tree of ${digest.sizeBytes} bytes, more than ${MOST_TREE_BYTES}`);
  const whole = wanted.filter(({ below }) => below === "").map(({ path }) => renamed(directory, path));
  const inside = wanted.filter(({ below }) => below !== "");
  if (inside.length === 0) return whole;
  const what = originals.digestOf(Buffer.from(JSON.stringify([lists, inside])));
  const result = await originals.derive(`${RULE} ${formatDigest(digest)} ${what.hash}`, async () =>
    cutFrom(await originals.read(digest), inside, lists, originals),
  );
  return [...whole, ...new ResultOutputs(result).all];
}

/** An ActionResult of what is found, compact enough to be kept. */
function cutFrom(
  bytes: Buffer,
  wanted: readonly Wanted[],
  lists: LinkLists,
  { digestOf }: Originals,
): Derived<Buffer> {
  const tree = TreeMessage.read(bytes, digestOf);
  const cutter = new TreeCutter(tree);
  const blobs = new Map<string, Blob>();
  const directoryAt = (path: string, root: Buffer): Output => {
    const made = makeTree(root, (digest) => tree.directory(digest));
    const digest = digestOf(made.bytes);
    blobs.set(formatDigest(digest), { digest, bytes: made.bytes });
    return outputDirectory(path, digest);
  };
  const entry = (path: string, found: Found): Output[] => {
    if (found.kind === "directory") return [directoryAt(path, found.directory)];
    return found.kind === "file" ? [outputFile(path, found.node)] : [];
  };
  const outputs = wanted.flatMap(({ path, below, kind }): Output[] => {
    const found = cutter.at(below);
    if (found === null) return [];
    if (found.kind !== "symlink") return entry(path, found);
    const target = cutter.at(below, true);
    if (lists.length === 0) return target === null ? [] : entry(path, target);
    const isDirectory = (kind ?? target?.kind) === "directory";
    const typed = isDirectory ? Outputs.directoryLinks : Outputs.fileLinks;
    return lists.map((list) => outputLink(list === "typed" ? typed : Outputs.links, path, found.node));
  });
  const result = new FieldWriter();
  for (const output of outputs) result.bytes(output.number, output.bytes);
  return { value: Buffer.from(result.toBuffer()), blobs: [...blobs.values()] };
}

/** The OutputDirectory of a Tree that was made here, which is sorted (D41). */
export function outputDirectory(path: string, tree: Digest): Output {
  const out = new FieldWriter();
  if (path !== "") out.text(1, path);
  out.bytes(DirectoryField.tree, encodeDigest(tree));
  out.varint(DirectoryField.sorted, true);
  return { number: Outputs.directories, path, target: "", bytes: out.toBuffer() };
}

/** Field numbers of OutputDirectory. */
const DirectoryField = { tree: 3, sorted: 4 } as const;

/** Where fields of FileNode are in OutputFile; attributes have had two numbers in either (D31). */
const FILE_FIELDS: Readonly<Record<number, number>> = { 2: 2, 4: 4, 5: 6, 6: 7 };
/** The same for SymlinkNode and OutputSymlink. */
const LINK_FIELDS: Readonly<Record<number, number>> = { 2: 2, 3: 3, 4: 4 };

function outputFile(path: string, node: Buffer): Output {
  return {
    number: Outputs.files,
    path,
    target: "",
    bytes: renumbered(path, node, FILE_FIELDS),
  };
}

function outputLink(number: number, path: string, node: Buffer): Output {
  return { number, path, target: "", bytes: renumbered(path, node, LINK_FIELDS) };
}

/** A node as an output: what outputs have no field for is left out. */
function renumbered(path: string, node: Buffer, numbers: Readonly<Record<number, number>>): Buffer {
  const out = new FieldWriter();
  if (path !== "") out.text(1, path);
  const field = new Walker(node);
  while (field.next()) {
    const number = numbers[field.number];
    if (number === undefined) continue;
    if (field.wireType === WireType.VARINT) out.varint(number, field.uint64());
    else if (field.wireType === WireType.LEN) out.bytes(number, field.bytes());
  }
  return out.toBuffer();
}

function treeDigestOf(directory: Buffer): Digest | null {
  let digest: Digest | null = null;
  const field = new Walker(directory);
  while (field.next())
    if (field.number === DirectoryField.tree && field.wireType === WireType.LEN)
      digest = readDigest(field.enter());
  return digest;
}
