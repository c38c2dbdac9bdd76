/** As much of a socket as a connection writes to. It takes everything, or while `stalled` holds it back as a full kernel would. */
export class MemorySocket {
  destroyed = false;
  writableEnded = false;
  writableLength = 0;
  private written: Buffer[] = [];
  private waiting: (() => void)[] = [];
  private isStalled = false;

  get stalled(): boolean {
    return this.isStalled;
  }

  /** Switching it off lets go of what was held. */
  set stalled(stalled: boolean) {
    this.isStalled = stalled;
    if (!stalled) this.drain();
  }

  /** What was written since the last time, held back or not. */
  takeWritten(): Buffer {
    const bytes = Buffer.concat(this.written);
    this.written = [];
    return bytes;
  }

  write(bytes: Buffer, done?: () => void): boolean {
    // A copy, because that is what the kernel makes: what changes later must not have been written.
    this.written.push(Buffer.from(bytes));
    if (this.isStalled) this.writableLength += bytes.length;
    if (done !== undefined) this.waiting.push(done);
    if (!this.isStalled) this.drain();
    return !this.isStalled;
  }

  cork(): void {}

  uncork(): void {}

  end(): void {
    this.writableEnded = true;
  }

  destroy(): void {
    this.destroyed = true;
    this.drain();
  }

  private drain(): void {
    this.writableLength = 0;
    const { waiting } = this;
    this.waiting = [];
    for (const done of waiting) done();
  }
}
