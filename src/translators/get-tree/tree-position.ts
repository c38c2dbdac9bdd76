/**
 * Page tokens of trees that the bridge walks: how many directories came before, and a check over which ones. Any replica can go on from there, as the walk
 * follows from the stored directories alone (R7).
 */
import { createHash } from "node:crypto";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../../wire/digest.ts";
import { Status } from "../../wire/status.ts";

/** `rb1`, the number of directories, and 16 digits of the check. */
const TOKEN = /^rb1-([1-9][0-9]{0,5})-([0-9a-f]{16})$/;

/** How far a walk has come. */
export class TreePosition {
  private hash = createHash("sha256");
  private passed = 0;

  /** Directories so far. */
  get count(): number {
    return this.passed;
  }

  /** The token for what comes next. */
  get token(): string {
    return `rb1-${this.passed}-${this.hash.copy().digest("hex").slice(0, 16)}`;
  }

  /** Takes the next directory into account. */
  pass(digest: Digest): void {
    this.hash.update(`${formatDigest(digest)}\n`);
    this.passed++;
  }

  /** Goes back to the root. */
  reset(): void {
    this.hash = createHash("sha256");
    this.passed = 0;
  }
}

/** A token that was read. */
export interface TreeMark {
  readonly count: number;
  readonly token: string;
}

/** Reads a token; null for an empty one. @throws UpstreamError INVALID_ARGUMENT for text that is no token of a walk. */
export function readMark(text: string): TreeMark | null {
  if (text === "") return null;
  const parts = TOKEN.exec(text);
  if (parts === null) {
    const message = "page_token is none that this bridge made: leave it out to begin again";
    throw new UpstreamError(Status.INVALID_ARGUMENT, message);
  }
  return { count: Number(parts[1]), token: text };
}
