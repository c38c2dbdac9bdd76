const FRAME = 0xfd2fb528;
/** The last four bits may be any. */
const SKIPPABLE = 0x184d2a50;

/**
 * Follows frames of zstd (RFC 8878) as they pass, without looking into their blocks: the decoder of `node:zlib` says nothing of a frame that breaks off within its
 * first bytes.
 */
export class ZstdFrames {
  #begun = false;
  readonly #head = Buffer.alloc(4);
  #have = 0;
  #part: "magic" | "size" | "descriptor" | "block" = "magic";
  /** Bytes that are of no interest before the next part. */
  #skip = 0;
  #checksum = false;

  /** Whether what passed so far ends with a frame. */
  get complete(): boolean {
    return this.#begun && this.#part === "magic" && this.#have === 0 && this.#skip === 0;
  }

  /** Follows the next bytes; false if no frame begins where one has to. */
  follow(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      this.#head[this.#have++] = bytes[at++]!;
      if (this.#have < LENGTHS[this.#part]) continue;
      this.#have = 0;
      if (!this.#read()) return false;
    }
    return true;
  }

  #read(): boolean {
    const head = this.#head;
    switch (this.#part) {
      case "magic": {
        const magic = head.readUInt32LE();
        const skippable = (magic & 0xfffffff0) >>> 0 === SKIPPABLE;
        if (magic !== FRAME && !skippable) return false;
        this.#begun = true;
        this.#part = skippable ? "size" : "descriptor";
        return true;
      }
      case "size":
        this.#skip = head.readUInt32LE();
        this.#part = "magic";
        return true;
      case "descriptor": {
        const descriptor = head[0]!;
        const single = (descriptor & 0x20) !== 0;
        const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
        const dictionary = [0, 1, 2, 4][descriptor & 3]!;
        this.#skip = (single ? 0 : 1) + dictionary + contentSize;
        this.#checksum = (descriptor & 4) !== 0;
        this.#part = "block";
        return true;
      }
      case "block": {
        const block = head.readUIntLE(0, 3);
        const isRepeatedByte = ((block >> 1) & 3) === 1;
        const isLast = (block & 1) === 1;
        this.#skip = (isRepeatedByte ? 1 : block >> 3) + (isLast && this.#checksum ? 4 : 0);
        if (isLast) this.#part = "magic";
        return true;
      }
    }
  }
}

/** Bytes of each part that have to be read. */
const LENGTHS = { magic: 4, size: 4, descriptor: 1, block: 3 } as const;
