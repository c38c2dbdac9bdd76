import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ActionCache } from "./action-cache.ts";
import type { BlobStore } from "./blob-store.ts";
import { DiskActionCache } from "./disk-action-cache.ts";
import { DiskBlobStore } from "./disk-blob-store.ts";
import { MemoryActionCache } from "./memory-action-cache.ts";
import { MemoryBlobStore } from "./memory-blob-store.ts";

/** Where a server keeps things. */
export interface Stores {
  readonly store: BlobStore;
  readonly actionCache: ActionCache;
  /** A directory for commands to run in; it need not exist. */
  readonly scratchDir: string;
  /** Removes what is of no use to a later server. */
  close(): Promise<void>;
}

/**
 * Opens the stores in `dir`, which is made if it is not there, or new ones in memory if it is null. Under `dir` there are `cas`, `ac`,
 * and what may be deleted: `tmp` for files that are being written, `exec` for commands. One server at a time may use a directory.
 * Rejects with the error of the file system.
 */
export async function openStores(dir: string | null): Promise<Stores> {
  if (dir === null) return inMemory();
  const scratch = join(dir, "tmp");
  // An earlier server that was killed may have left files.
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  return {
    store: new DiskBlobStore(join(dir, "cas"), scratch),
    actionCache: new DiskActionCache(join(dir, "ac"), scratch),
    scratchDir: join(dir, "exec"),
    close: () => rm(scratch, { recursive: true, force: true }),
  };
}

async function inMemory(): Promise<Stores> {
  const scratch = await mkdtemp(join(tmpdir(), "reapi-bridge-"));
  return {
    store: new MemoryBlobStore(),
    actionCache: new MemoryActionCache(),
    scratchDir: join(scratch, "exec"),
    close: () => rm(scratch, { recursive: true, force: true }),
  };
}
