import type { Budget } from "../../http2/budget.ts";
import { type EnvelopeHandler, EnvelopeParser } from "../../wire/envelope.ts";
import { type MemoryAllowance, MessageBuffer } from "../../wire/message-buffer.ts";
import { WireError } from "../../wire/wire-error.ts";
import { budgetSpent, type CallError, cutMessage, wireFailure } from "./call-error.ts";

/** Bytes of complete messages that may wait for their reader before the sender is held back. */
const READ_AHEAD = 64 * 1024;
/** How often, and how long in all, a message waits for room in the budget, in milliseconds. */
const LOOK_AGAIN = 20;
const PATIENCE = 10_000;

/** One message as it came: still compressed if `compressed`. */
export interface RawMessage {
  readonly bytes: Buffer;
  readonly compressed: boolean;
  /** The memory it takes. */
  readonly held: number;
}

/**
 * Reassembles the messages of one direction of a call. Memory follows what has arrived, never what was announced, and is charged to the
 * budget until the message is taken and released. The sender gets credit while its message grows and there is budget;
 * a message that waits too long for room is refused.
 */
export class MessageIntake implements EnvelopeHandler, MemoryAllowance {
  private readonly budget: Budget;
  private readonly credit: (bytes: number) => void;
  private readonly failed: (error: CallError) => void;
  private readonly parser: EnvelopeParser;
  private readonly complete: RawMessage[] = [];
  private readonly waiting: ((message: RawMessage | null) => void)[] = [];
  private current: MessageBuffer | null = null;
  private compressed = false;
  private charged = 0;
  private unread = 0;
  private owed = 0;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;
  private over = false;

  /** `credit` gives the sender room for that many bytes; `failed` is called once, when the messages cannot be read on. */
  constructor(
    budget: Budget,
    maxMessageBytes: number,
    credit: (bytes: number) => void,
    failed: (error: CallError) => void,
  ) {
    this.budget = budget;
    this.credit = credit;
    this.failed = failed;
    this.parser = new EnvelopeParser(this, maxMessageBytes);
  }

  /** Takes bytes off the stream; returns those for which the sender may have credit at once. */
  take(buffer: Buffer, start: number, end: number, fin: boolean): number {
    if (this.closed) return end - start;
    try {
      this.parser.feed(buffer, start, end);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.fail(wireFailure(error));
      return end - start;
    }
    if (fin) this.finish();
    if (this.mayGrow()) return end - start;
    // The sender's window counts what it gets no credit for; it is not to be charged twice.
    this.owed += end - start;
    this.charge(start - end);
    this.waitForRoom();
    return 0;
  }

  /** No more bytes will come. Messages that are complete can still be taken. */
  finish(): void {
    if (this.over) return;
    if (!this.parser.idle) return this.fail(cutMessage());
    this.over = true;
    for (const resolve of this.waiting.splice(0)) resolve(null);
  }

  /** The next message, or null after the last. Its `held` bytes stay charged until `release`. */
  next(): Promise<RawMessage | null> {
    const message = this.complete.shift();
    if (message !== undefined) {
      this.unread -= message.bytes.length;
      this.payOwed();
      return Promise.resolve(message);
    }
    if (this.over || this.closed) return Promise.resolve(null);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** What was made of a message takes `bytes` more. */
  hold(bytes: number): void {
    if (!this.closed) this.charge(bytes);
  }

  /** `bytes` of what was taken, or made of it, are free again. */
  release(bytes: number): void {
    if (this.closed) return;
    this.charge(-bytes);
    this.payOwed();
  }

  /** Drops everything. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.timer !== null) clearInterval(this.timer);
    this.charge(-this.charged);
    this.complete.length = 0;
    this.current = null;
    for (const resolve of this.waiting.splice(0)) resolve(null);
    const { owed } = this;
    this.owed = 0;
    if (owed > 0) this.credit(owed);
  }

  get free(): number {
    return this.budget.free;
  }

  charge(bytes: number): void {
    this.charged += bytes;
    this.budget.charge(bytes);
  }

  begin(length: number, compressed: boolean): void {
    this.compressed = compressed;
    this.current = new MessageBuffer(length, this);
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    this.current!.append(buffer, start, end);
  }

  end(): void {
    const { current, compressed } = this;
    const message = { bytes: current!.view(), compressed, held: current!.allocated };
    this.current = null;
    const resolve = this.waiting.shift();
    if (resolve !== undefined) return resolve(message);
    this.complete.push(message);
    this.unread += message.bytes.length;
  }

  private fail(error: CallError): void {
    if (this.closed) return;
    this.close();
    this.failed(error);
  }

  private mayGrow(): boolean {
    return this.unread <= READ_AHEAD && this.budget.free > 0;
  }

  private payOwed(): void {
    const { owed } = this;
    if (owed === 0 || !this.mayGrow()) return;
    this.owed = 0;
    this.charge(owed);
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.credit(owed);
  }

  private waitForRoom(): void {
    if (this.timer !== null || this.unread > READ_AHEAD) return;
    const until = Date.now() + PATIENCE;
    this.timer = setInterval(() => {
      this.payOwed();
      if (this.timer === null || Date.now() < until) return;
      this.fail(budgetSpent(this.budget.limit));
    }, LOOK_AGAIN);
  }
}
