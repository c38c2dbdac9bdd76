/** The blobs that an ActionResult refers to (D23). */
import { childrenOf, filesOf } from "../../tree/directory.ts";
import { MOST_TREE_BYTES } from "../../tree/tree-message.ts";
import type { Upstream } from "../../upstream/port.ts";
import type { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../../wire/digest.ts";
import { digestIn, payloadsOf } from "../../wire/fields.ts";
import type { MemoryAllowance } from "../../wire/message-buffer.ts";
import { Status } from "../../wire/status.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { Holding } from "../holding.ts";
import { outputDirectoriesIn } from "../output-directory-format/output-directory.ts";

/** Field numbers of ActionResult, of OutputFile, and of Tree. */
const ResultField = { files: 2, stdout: 6, stderr: 8 } as const;
const FILE_DIGEST = 2;
const TreeField = { root: 1, children: 2 } as const;

/** The most blobs that are looked for, and the most bytes of Directories that are read, for one result. */
const MOST_BLOBS = 250_000;
const MOST_DIRECTORY_BYTES = 128 << 20;
const TOO_MANY = `it has more than ${MOST_BLOBS} blobs`;
/** What a digest takes in memory. */
const BYTES_PER_DIGEST = 300;

/** Where blobs are read, and what is charged for what is held. */
export interface ReferenceParts {
  readonly port: Upstream;
  readonly budget: MemoryAllowance;
}

/**
 * A blob of a result that is not stored, or why that cannot be said; null where all are: output files, stdout, stderr, Trees and the files in them, root
 * Directories and all that is below them. Takes one question for all blobs, and reads each Tree once, and Directories level by level.
 * @throws UpstreamError for a failure to read or ask; WireError for a broken result, Tree or Directory.
 */
export async function missingOf(result: Buffer, parts: ReferenceParts): Promise<string | null> {
  const references = new References(parts);
  try {
    return await references.missing(result);
  } finally {
    references.close();
  }
}

class References {
  private readonly port: Upstream;
  private readonly found = new Map<string, Digest>();
  private readonly holding: Holding;
  private directoryBytes = 0;

  constructor({ port, budget }: ReferenceParts) {
    this.port = port;
    this.holding = new Holding(budget);
  }

  close(): void {
    this.holding.close();
  }

  async missing(result: Buffer): Promise<string | null> {
    for (const file of payloadsOf(result, ResultField.files)) this.add(digestIn(file, FILE_DIGEST));
    for (const number of [ResultField.stdout, ResultField.stderr]) this.add(digestIn(result, number));
    const directories = outputDirectoriesIn(result);
    const trees = directories.flatMap(({ tree }) => tree ?? []);
    const roots = directories.flatMap(({ root }) => root ?? []);
    const unread = (await this.addTrees(trees)) ?? (await this.addDirectories(roots));
    if (unread !== null) return unread;
    if (this.found.size > MOST_BLOBS) return TOO_MANY;
    const [lost] = await this.port.findMissing([...this.found.values()]);
    return lost === undefined ? null : `${formatDigest(lost)} is not stored`;
  }

  /** Trees and the files of all their directories. */
  private async addTrees(trees: readonly Digest[]): Promise<string | null> {
    const wanted = trees.filter((tree) => this.add(tree));
    const large = wanted.find(({ sizeBytes }) => sizeBytes > MOST_TREE_BYTES);
    if (large !== undefined) return `the Tree ${formatDigest(large)} is too large to be looked into`;
    for await (const read of this.port.readBlobs(wanted, MOST_TREE_BYTES)) {
      if ("error" in read) return unreadable(read.digest, read.error);
      const field = new Walker(read.bytes);
      while (field.next()) {
        if (field.wireType !== WireType.LEN) continue;
        if (field.number === TreeField.root || field.number === TreeField.children)
          for (const file of filesOf(field.bytes())) this.add(file);
        if (this.found.size > MOST_BLOBS) return TOO_MANY;
      }
    }
    return null;
  }

  /** Directories, all below them, and their files. */
  private async addDirectories(roots: readonly Digest[]): Promise<string | null> {
    let level = roots.filter((root) => this.add(root));
    while (level.length > 0) {
      this.directoryBytes += level.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      if (this.directoryBytes > MOST_DIRECTORY_BYTES)
        return "its output directories are too large to be looked into";
      const next: Digest[] = [];
      for await (const read of this.port.readBlobs(level, MOST_DIRECTORY_BYTES)) {
        if ("error" in read) return unreadable(read.digest, read.error);
        for (const file of filesOf(read.bytes)) this.add(file);
        if (this.found.size > MOST_BLOBS) return TOO_MANY;
        for (const { digest } of childrenOf(read.bytes)) if (this.add(digest)) next.push(digest);
      }
      level = next;
    }
    return null;
  }

  /** Whether it is a new one. The empty blob is always there (D13). */
  private add(digest: Digest | null): boolean {
    if (digest === null || digest.sizeBytes === 0) return false;
    const key = formatDigest(digest);
    if (this.found.has(key)) return false;
    this.holding.take(BYTES_PER_DIGEST);
    this.found.set(key, digest);
    return true;
  }
}

/** @throws the error, unless it says that the blob is not there. */
function unreadable(digest: Digest, error: UpstreamError): string {
  if (error.code !== Status.NOT_FOUND) throw error;
  return `${formatDigest(digest)} is not stored`;
}
