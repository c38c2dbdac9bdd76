import { type Frame, Setting, Type } from "./frames.ts";

/** The windows that the other side grants (RFC 9113 section 5.2), for tests that send bodies the honest way. */
export class SendWindow {
  private connection = 65_535;
  private initial = 65_535;
  private readonly streams = new Map<number, number>();
  private waiting: (() => void)[] = [];

  /** Takes note of a SETTINGS or WINDOW_UPDATE frame of the other side. */
  take(frame: Frame): void {
    if (frame.type === Type.WINDOW_UPDATE) this.grant(frame.stream, frame.payload.readUInt32BE());
    if (frame.type === Type.SETTINGS) {
      for (let at = 0; at < frame.payload.length; at += 6) {
        if (frame.payload.readUInt16BE(at) !== Setting.INITIAL_WINDOW_SIZE) continue;
        const value = frame.payload.readUInt32BE(at + 2);
        for (const [id, window] of this.streams) this.streams.set(id, window + value - this.initial);
        this.initial = value;
      }
    }
    this.wake();
  }

  /** Resolves what `changed` returned, without a change. */
  wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resume of waiting) resume();
  }

  /** Takes up to `wanted` bytes of the windows of `stream` and the connection; may return 0. */
  reserve(stream: number, wanted: number): number {
    const granted = Math.max(0, Math.min(wanted, this.connection, this.available(stream), 16_384));
    this.connection -= granted;
    this.streams.set(stream, this.available(stream) - granted);
    return granted;
  }

  /** Bytes that may be sent on `stream` as far as its own window goes. */
  available(stream: number): number {
    return this.streams.get(stream) ?? this.initial;
  }

  /** Bytes that may be sent on the connection as a whole. */
  get connectionWindow(): number {
    return this.connection;
  }

  /** Resolves at the next change, or when the connection is gone. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Adds to the window of `stream`, or with 0 to that of the connection. */
  grant(stream: number, increment: number): void {
    if (stream === 0) this.connection += increment;
    else this.streams.set(stream, this.available(stream) + increment);
  }
}
