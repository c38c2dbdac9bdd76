/** All Directories below a root, breadth first, read from the store (D21). */
import { childrenOf } from "../../tree/directory.ts";
import type { Upstream } from "../../upstream/port.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../../wire/digest.ts";
import { sameDigest } from "../../wire/fields.ts";
import type { MemoryAllowance } from "../../wire/message-buffer.ts";
import { Status } from "../../wire/status.ts";
import { WireError } from "../../wire/wire-error.ts";
import { Holding } from "../holding.ts";

/** The most directories of one tree, and their bytes together: as of an action's input tree. */
const MOST_DIRECTORIES = 100_000;
const MOST_TREE_BYTES = 128 << 20;
/** The most bytes of one directory. */
const MOST_DIRECTORY_BYTES = 16 << 20;
/** What a directory that was found takes besides its bytes, until the walk is over. */
const BYTES_PER_DIRECTORY = 400;
/** Directories that are read, and held, at a time: so many, of so many bytes unless it is a single one. */
const MOST_AT_A_TIME = 1000;
const MOST_BYTES_AT_A_TIME = 4 << 20;

/** A directory of a walk, with its stored bytes. */
export interface WalkedDirectory {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** Where directories are read, what that is charged to, and the error of a tree that is too large, of which `what` says how. */
export interface WalkParts {
  readonly port: Upstream;
  readonly budget: MemoryAllowance;
  tooLarge(what: string): Error;
}

/**
 * Each distinct directory once, the root first, in an order that follows from their contents alone. Missing ones are left out, with what only they lead to.
 * Bytes are valid until the next is asked for.
 * @throws UpstreamError NOT_FOUND for a missing root, INVALID_ARGUMENT for what is no Directory, and any other failure to read; what `tooLarge` makes.
 */
export async function* walkTree(root: Digest, parts: WalkParts): AsyncGenerator<WalkedDirectory, void, void> {
  const { budget, port, tooLarge } = parts;
  port.functionOf(root);
  const seen = new Set<string>();
  let queue: Digest[] = [];
  let bytes = 0;
  const holding = new Holding(budget);
  const add = (digest: Digest): void => {
    const key = formatDigest(digest);
    if (seen.has(key)) return;
    if (seen.size === MOST_DIRECTORIES) throw tooLarge(`of more than ${MOST_DIRECTORIES} directories`);
    if (digest.sizeBytes > MOST_DIRECTORY_BYTES)
      throw tooLarge(`with a directory of more than ${MOST_DIRECTORY_BYTES} bytes`);
    holding.take(BYTES_PER_DIRECTORY);
    seen.add(key);
    queue.push(digest);
  };
  try {
    add(root);
    for (let level = queue; level.length > 0; level = queue) {
      queue = [];
      for (const window of windows(level)) {
        const held = window.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        bytes += held;
        if (bytes > MOST_TREE_BYTES) throw tooLarge(`of more than ${MOST_TREE_BYTES} bytes`);
        holding.take(held);
        const found = await read(window, root, port);
        for (const digest of window) {
          const directory = found.get(formatDigest(digest));
          if (directory === undefined) continue;
          for (const child of childDigests(digest, directory, root, port)) add(child);
          yield { digest, bytes: directory };
        }
        holding.give(held);
      }
    }
  } finally {
    holding.close();
  }
}

/** A level in the parts that are read at a time. */
function* windows(level: readonly Digest[]): Generator<Digest[], void, void> {
  let window: Digest[] = [];
  let bytes = 0;
  for (const digest of level) {
    const full = window.length === MOST_AT_A_TIME || bytes + digest.sizeBytes > MOST_BYTES_AT_A_TIME;
    if (window.length > 0 && full) {
      yield window;
      window = [];
      bytes = 0;
    }
    window.push(digest);
    bytes += digest.sizeBytes;
  }
  if (window.length > 0) yield window;
}

/** Those of the directories that are stored. */
async function read(
  wanted: readonly Digest[],
  root: Digest,
  port: Upstream,
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for await (const one of port.readBlobs(wanted, MOST_DIRECTORY_BYTES)) {
    if ("bytes" in one) found.set(formatDigest(one.digest), one.bytes);
    else if (one.error.code !== Status.NOT_FOUND || sameDigest(one.digest, root)) throw one.error;
  }
  return found;
}

/** The directories in one. @throws UpstreamError INVALID_ARGUMENT where it is none. */
function childDigests(digest: Digest, directory: Buffer, root: Digest, port: Upstream): Digest[] {
  try {
    const children = childrenOf(directory).map((child) => child.digest);
    for (const child of children) port.functionOf(child);
    return children;
  } catch (error) {
    if (!(error instanceof WireError || error instanceof UpstreamError)) throw error;
    const where = sameDigest(digest, root) ? "root_digest" : `the tree of ${formatDigest(root)}`;
    const message = `${where} names ${formatDigest(digest)}, which is no Directory: ${error.message}`;
    throw new UpstreamError(Status.INVALID_ARGUMENT, message);
  }
}
