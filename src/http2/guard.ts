/** Allows `burst` events at once and `perSecond` of them for ever after. */
class TokenBucket {
  private readonly burst: number;
  private readonly perMs: number;
  private tokens: number;
  private last = 0;

  constructor(burst: number, perSecond: number) {
    this.burst = burst;
    this.perMs = perSecond / 1000;
    this.tokens = burst;
  }

  /** Spends one token; false when there is none. */
  take(now: number): boolean {
    if (this.tokens < 1) this.refill(now);
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }

  /** Adds a token, up to the burst: for events that earn their overhead. */
  earn(): void {
    if (this.tokens < this.burst) this.tokens++;
  }

  private refill(now: number): void {
    if (this.last !== 0) this.tokens = Math.min(this.burst, this.tokens + (now - this.last) * this.perMs);
    this.last = now;
  }
}

/**
 * What a peer may do that costs the bridge work and moves no data (RFC 9113 section 10.5). A client that cancels a large build resets
 * hundreds of streams at once, and one that measures its link pings once a round trip while data flows; both stay far below.
 */
export class Guards {
  /** RST_STREAM from the peer, and stream errors it provoked. */
  readonly resets = new TokenBucket(1_000, 33);
  /**
   * PING, SETTINGS, PRIORITY, GOAWAY, empty DATA, frames of unknown types and 1xx responses; every frame with content earns one back. Not
   * WINDOW_UPDATE, of which a download causes any number.
   */
  readonly overhead = new TokenBucket(10_000, 1_000);
}
