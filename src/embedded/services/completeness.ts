import { type Codec, codec } from "../../spec/codec.ts";
import { formatDigest } from "../../wire/digest.ts";
import type { DigestFunction } from "../../wire/digest-function.ts";
import { Status } from "../../wire/status.ts";
import type { DigestMessage } from "../digests.ts";
import { concurrently } from "../execution/concurrently.ts";
import type { V2 } from "../rpc/methods.ts";
import { failureOf } from "../rpc/status-of.ts";
import { type BlobDigest, BlobMissingError } from "../store/blob-store.ts";
import type { ServiceParts } from "./service-parts.ts";

/** What it takes to follow the references of a result. */
export type ResultParts = Pick<ServiceParts, "behaviour" | "digests" | "store">;

/** Blobs that are looked for at a time. */
const AT_A_TIME = 32;

/**
 * Whether everything a result refers to is stored, so that a hit can be trusted (D23): outputs, stdout, stderr, and all that is in output
 * directories. A malformed digest, Tree or Directory counts as missing.
 */
export async function isComplete(
  parts: ResultParts,
  result: V2<"ActionResult">,
  digestFunction: DigestFunction,
): Promise<boolean> {
  const references = new References(parts, digestFunction);
  try {
    await references.addResult(result);
  } catch (error) {
    const { code } = failureOf(error);
    if (code === Status.NOT_FOUND || code === Status.INVALID_ARGUMENT) return false;
    throw error;
  }
  const there = await concurrently(references.found.values(), AT_A_TIME, (digest) => parts.store.has(digest));
  return there.every(Boolean);
}

/** Collects the digests a result refers to. Whatever cannot be read makes it throw. */
class References {
  readonly found = new Map<string, BlobDigest>();
  private readonly walked = new Set<string>();
  private readonly parts: ResultParts;
  private readonly codec: Codec;
  private readonly digestFunction: DigestFunction;

  constructor(parts: ResultParts, digestFunction: DigestFunction) {
    this.parts = parts;
    this.codec = codec(parts.behaviour.level);
    this.digestFunction = digestFunction;
  }

  async addResult(result: V2<"ActionResult">): Promise<void> {
    for (const { digest } of result.outputFiles) this.add(digest);
    for (const digest of [result.stdoutDigest, result.stderrDigest]) if (digest !== null) this.add(digest);
    for (const { treeDigest, rootDirectoryDigest } of result.outputDirectories) {
      if (treeDigest !== null) await this.addTree(treeDigest);
      if (rootDirectoryDigest !== null) await this.addDirectory(rootDirectoryDigest);
    }
  }

  private async addTree(digest: DigestMessage): Promise<void> {
    const bytes = await this.bytes(this.add(digest));
    const { root, children } = this.codec.decode("build.bazel.remote.execution.v2.Tree", bytes);
    for (const directory of [root, ...children]) this.addFiles(directory);
  }

  private async addDirectory(digest: DigestMessage | null): Promise<void> {
    const blob = this.add(digest);
    if (this.walked.has(formatDigest(blob))) return;
    this.walked.add(formatDigest(blob));
    const directory = this.codec.decode("build.bazel.remote.execution.v2.Directory", await this.bytes(blob));
    this.addFiles(directory);
    for (const child of directory.directories) await this.addDirectory(child.digest);
  }

  private addFiles(directory: V2<"Directory"> | null): void {
    for (const { digest } of directory?.files ?? []) this.add(digest);
  }

  private add(message: DigestMessage | null): BlobDigest {
    const blob = this.parts.digests.read(message, this.digestFunction.number, "digest");
    this.found.set(formatDigest(blob), blob);
    return blob;
  }

  private async bytes(blob: BlobDigest): Promise<Buffer> {
    const bytes = await this.parts.store.get(blob);
    if (bytes === null) throw new BlobMissingError(blob);
    return bytes;
  }
}
