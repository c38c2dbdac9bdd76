/** Blobs that several calls of one caller would store at the same time: each is sent once. */
import type { Blob } from "../upstream/port.ts";
import { formatDigest } from "../wire/digest.ts";
import { callerKey } from "./caller-key.ts";
import type { Scope } from "./scope.ts";
import { whileThere } from "./shared-work.ts";
import { writeMade } from "./store-made.ts";

/** The uploads under way of all calls of one plan. */
export class SharedUploads {
  /** By caller (law 10), scope and `hash/size`. */
  private readonly underWay = new Map<string, Promise<void>>();

  /**
   * Stores blobs, but those that another call of the same caller is storing: it waits for these, and stores itself what the other one did not get stored.
   * @throws as {@link writeMade}, and as {@link whileThere}.
   */
  async store(scope: Scope, blobs: readonly Blob[]): Promise<void> {
    const place = `${callerKey(scope.call)}\0${scope.key}`;
    const byKey = new Map(blobs.map((blob) => [`${place}${formatDigest(blob.digest)}`, blob]));
    while (byKey.size > 0) {
      const others = new Map([...byKey.keys()].map((key) => [key, this.underWay.get(key)]));
      const own = [...byKey].filter(([key]) => others.get(key) === undefined);
      if (own.length > 0) {
        await this.send(scope, own);
        for (const [key] of own) byKey.delete(key);
      }
      const stored = new Map<Promise<void>, Promise<boolean>>();
      for (const [key, other] of others) {
        if (other === undefined) continue;
        const isStored = stored.get(other) ?? whileThere(scope.call, succeeds(other));
        stored.set(other, isStored);
        if (await isStored) byKey.delete(key);
      }
    }
  }

  private async send(scope: Scope, blobs: readonly (readonly [string, Blob])[]): Promise<void> {
    const sent = writeMade(
      scope,
      blobs.map(([, blob]) => blob),
    );
    for (const [key] of blobs) this.underWay.set(key, sent);
    try {
      await sent;
    } finally {
      for (const [key] of blobs) this.underWay.delete(key);
    }
  }
}

async function succeeds(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch {
    return false;
  }
}
