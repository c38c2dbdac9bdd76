/** Whose blobs are meant: an upstream, an instance, a digest function. */
import { BridgeError } from "../spec/bridge-error.ts";
import type { Call } from "../translators/translator.ts";
import type { Upstream } from "../upstream/port.ts";
import type { Digest } from "../wire/digest.ts";
import { type DigestFunction, digestFunctionByNumber } from "../wire/digest-function.ts";
import { canHash, digestOf } from "../wire/hasher.ts";

/** The most bytes of one Action, Command or Directory. */
export const MOST_MESSAGE_BYTES = 16 << 20;

/** Where the blobs of one action are, and how they are named. */
export class Scope {
  readonly call: Call;
  /** What the client calls the instance. */
  readonly instance: string;
  /** The number of the digest function that the request names; 0 where it leaves it to the length. */
  readonly functionNumber: number;
  /** The same for subjects of missing blobs: 0 where the client reads none with a digest function. */
  readonly subjectFunction: number;
  readonly port: Upstream;
  /** Tells what is remembered of these blobs from what is remembered of others. */
  readonly key: string;
  /** One of the digests: its length tells the function, where nothing else does. */
  private like: Digest | null;

  constructor(
    call: Call,
    functionNumber: number,
    like: Digest | null,
    instance: string = call.clientInstance,
    shortSubjects = false,
  ) {
    this.call = call;
    this.instance = instance;
    this.functionNumber = functionNumber;
    this.subjectFunction = shortSubjects ? 0 : functionNumber;
    this.like = like;
    const isOfCall = functionNumber === 0 && instance === call.clientInstance;
    this.port = isOfCall ? call.port : call.portFor(functionNumber, instance);
    this.key = `${call.upstream}\0${instance}\0${functionNumber}\0`;
  }

  /** Takes a digest for one of the scope's, if there is none yet. */
  note(digest: Digest): void {
    this.like ??= digest;
  }

  /**
   * The digest of bytes.
   * @throws BridgeError `action-unsupported` for a function that cannot be computed here; UpstreamError INVALID_ARGUMENT where none can be told.
   */
  hash(bytes: Buffer): Digest {
    const { hash, sizeBytes } = digestOf(bytes, this.digestFunction());
    return { hash, sizeBytes };
  }

  private digestFunction(): DigestFunction {
    const named = digestFunctionByNumber(this.functionNumber);
    const found = named ?? (this.like === null ? null : this.port.functionOf(this.like));
    if (found === null || !canHash(found)) throw cannotHash(found?.name ?? "unknown");
    return found;
  }
}

function cannotHash(name: string): BridgeError {
  return new BridgeError({
    code: "action-unsupported",
    feature: "action-keys",
    drift: "D53",
    used: `An action with ${name} digests that has to be rewritten for the upstream`,
    since: null,
    has: `the bridge cannot compute ${name} hashes, which the rewritten action needs`,
    fix: "start the client with SHA256, or have it write the form that the upstream reads",
    field: "digest_function",
  });
}
