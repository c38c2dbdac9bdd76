import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";
import type { BlobDigest, BlobStore, BlobWrite } from "../store/blob-store.ts";

/** How many interrupted uploads are kept for their clients to come back; the oldest goes first. */
const KEPT = 100;

/** An upload, from its first byte until it is finished or dropped. */
class Upload {
  /** Bytes of the blob that have been stored: where the next call goes on. */
  committed = 0;
  /** The call that may go on with it; null while none does. */
  holder: object | null = null;
  private readonly write: BlobWrite;
  private last: Promise<void> = Promise.resolve();
  private dropped = false;

  constructor(write: BlobWrite) {
    this.write = write;
  }

  /** Hands the upload to a call. A client may come back before the server has noticed that it had gone: its earlier call loses it. */
  async claim(holder: object): Promise<void> {
    this.holder = holder;
    await this.last.catch(() => {});
  }

  /** Stores bytes for a call. @throws CallError ABORTED if another has claimed the upload, or as the store does. */
  append(holder: object, chunk: Buffer): Promise<void> {
    return this.step(holder, async () => {
      await this.write.append(chunk);
      this.committed += chunk.length;
    });
  }

  /** Makes the blob visible. Throws as {@link append}. */
  finish(holder: object): Promise<void> {
    return this.step(holder, () => this.write.finish());
  }

  /** Drops what was stored, after what an earlier holder had begun. */
  async abort(): Promise<void> {
    this.dropped = true;
    await this.last.catch(() => {});
    await this.write.abort();
  }

  private async step(holder: object, work: () => Promise<void>): Promise<void> {
    if (this.dropped || this.holder !== holder) {
      throw new CallError(
        Status.ABORTED,
        "another call with the same resource name goes on with this upload",
      );
    }
    this.last = work();
    await this.last;
  }
}

/** The uploads under way, by resource name. */
export class Uploads {
  private readonly store: BlobStore;
  private readonly uploads = new Map<string, Upload>();

  constructor(store: BlobStore) {
    this.store = store;
  }

  /** Bytes that have been stored for the upload of this name; 0 if there is none. */
  committed(name: string): number {
    return this.uploads.get(name)?.committed ?? 0;
  }

  /**
   * Stores the chunks of one call from `offset` on: 0 begins anew, anything else goes on where an earlier call was cut off. With
   * `finished`, asked after the last chunk, the blob becomes visible. The upload is kept for another call if the chunks end early or
   * `cut` says that the client has gone; it is dropped at any other failure.
   * @throws CallError INVALID_ARGUMENT for an offset that is not where the upload stands; as the chunks and the store do.
   */
  async run(
    name: string,
    digest: BlobDigest,
    offset: number,
    chunks: AsyncIterable<Buffer>,
    { finished, cut }: { finished: () => boolean; cut: () => boolean },
  ): Promise<void> {
    const upload = offset === 0 ? await this.begin(name, digest) : this.uploads.get(name);
    const holder = {};
    await upload?.claim(holder);
    if (upload === undefined || upload.committed !== offset) {
      if (upload !== undefined) upload.holder = null;
      throw new CallError(
        Status.INVALID_ARGUMENT,
        `write_offset is ${offset}, but ${this.committed(name)} bytes of this upload are stored`,
      );
    }
    try {
      for await (const chunk of chunks) await upload.append(holder, chunk);
      if (!finished()) return;
      await upload.finish(holder);
      this.forget(name, upload);
    } catch (error) {
      if (upload.holder === holder && !cut()) {
        this.forget(name, upload);
        await upload.abort();
      }
      throw error;
    } finally {
      if (upload.holder === holder) upload.holder = null;
      await this.dropOldest();
    }
  }

  /** Drops all of them. */
  async stop(): Promise<void> {
    await Promise.all([...this.uploads.values()].map((upload) => upload.abort()));
    this.uploads.clear();
  }

  private async begin(name: string, digest: BlobDigest): Promise<Upload> {
    const earlier = this.uploads.get(name);
    const upload = new Upload(this.store.write(digest));
    this.uploads.set(name, upload);
    await earlier?.abort();
    return upload;
  }

  private forget(name: string, upload: Upload): void {
    if (this.uploads.get(name) === upload) this.uploads.delete(name);
  }

  private async dropOldest(): Promise<void> {
    const idle = [...this.uploads].filter(([, { holder }]) => holder === null);
    for (const [name, upload] of idle.slice(0, Math.max(0, idle.length - KEPT))) {
      this.forget(name, upload);
      await upload.abort();
    }
  }
}
