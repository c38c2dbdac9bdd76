import type { Compressor } from "./compressors.ts";

/**
 * What is wrong with compressed bytes: `broken` is not of the format, `truncated` ends too early, `trailing` goes on behind the end, `too-long` has more in it
 * than there may be.
 */
type CompressionProblem = "broken" | "truncated" | "trailing" | "too-long";

/** Compressed bytes that cannot be taken. The message is a whole sentence for people, without a full stop. */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
  readonly problem: CompressionProblem;

  constructor({ name }: Compressor, problem: CompressionProblem, detail: string) {
    super(`the ${name} data ${detail}`);
    this.problem = problem;
  }
}
