/** Digests in requests: which function made them, and whether they are any. */
import type { Messages } from "../spec/generated/messages.ts";
import { checkDigest, type Digest } from "../wire/digest.ts";
import { type DigestFunction, digestFunctionByNumber, inferDigestFunction } from "../wire/digest-function.ts";
import { Status } from "../wire/status.ts";
import { CallError } from "./call-error.ts";
import type { BlobDigest } from "./store/blob-store.ts";

/** A Digest message. */
export type DigestMessage = Messages["build.bazel.remote.execution.v2.Digest"];

/** Reads digests as a server with certain digest functions does. Everything it throws is a CallError with INVALID_ARGUMENT. */
export class Digests {
  /** The server's functions, the preferred one first. */
  readonly offered: readonly DigestFunction[];
  private readonly numbers: readonly number[];

  constructor(offered: readonly DigestFunction[]) {
    this.offered = offered;
    this.numbers = this.offered.map(({ number }) => number);
  }

  /**
   * The digest in the field called `field`, made with the function the request names, or, where that is 0, with the first that has hashes
   * of this length (D08).
   */
  read(message: DigestMessage | null, functionNumber: number, field: string): BlobDigest {
    if (message === null) throw new CallError(Status.INVALID_ARGUMENT, `${field} is missing`);
    const { hash, sizeBytes } = message;
    const named = functionNumber === 0 ? null : this.functionAt(functionNumber);
    return this.check({ hash, sizeBytes: Number(sizeBytes) }, named, field);
  }

  /** Checks a digest, made with `named` or, if that is null, with a function to be found by the length of the hash. */
  check(digest: Digest, named: DigestFunction | null, field: string): BlobDigest {
    try {
      checkDigest(digest, named);
    } catch (error) {
      throw new CallError(Status.INVALID_ARGUMENT, `${field}: ${(error as Error).message}`);
    }
    const digestFunction = named ?? inferDigestFunction(digest.hash.length, this.numbers);
    if (digestFunction === null || !this.offered.includes(digestFunction)) {
      const what = digestFunction?.name ?? `a function with hashes of ${digest.hash.length} digits`;
      throw new CallError(Status.INVALID_ARGUMENT, `${field}: ${this.refusal(what)}`);
    }
    return { ...digest, digestFunction };
  }

  private functionAt(number: number): DigestFunction {
    const found = digestFunctionByNumber(number);
    if (found !== undefined && this.offered.includes(found)) return found;
    const what = found?.name ?? `digest function number ${number}`;
    throw new CallError(Status.INVALID_ARGUMENT, `digest_function: ${this.refusal(what)}`);
  }

  private refusal(what: string): string {
    return `this server does not offer ${what}; it offers ${this.offered.map(({ name }) => name).join(", ")}`;
  }
}

/** The Digest message for a digest. */
export function digestMessage({ hash, sizeBytes }: Digest): { hash: string; sizeBytes: number } {
  return { hash, sizeBytes };
}
