/** Slabs grow from the first size to the second, so that a quiet connection costs little. */
const FIRST_SLAB = 1024;
const FULL_SLAB = 4096;

/**
 * Takes copies of values one behind the other in slabs, which costs less than a buffer for each. One store serves one
 * table: neighbours are evicted together, so that dead slabs are not held by a few living values.
 */
export class ByteStore {
  /** Where the last {@link copy} put its bytes. */
  slab: Buffer = Buffer.alloc(0);
  start = 0;
  private used = 0;

  /** Copies `[start, end)` of `buf`; the copy is at `this.slab[this.start …]`. */
  copy(buf: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.used + length > this.slab.length) {
      const next = this.slab.length === 0 ? FIRST_SLAB : FULL_SLAB;
      this.slab = Buffer.allocUnsafeSlow(Math.max(next, length));
      this.used = 0;
    }
    this.start = this.used;
    this.used += length;
    buf.copy(this.slab, this.start, start, end);
  }
}
