/** Reads a case as a string of choices; past the end each choice is 0. */
export class Choices {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** True if none is left. */
  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The next byte. */
  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }

  /** The next bytes, at most `length`. */
  take(length: number): Uint8Array {
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }
}
