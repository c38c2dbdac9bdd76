/** Puts contents into results for callers who asked for it (D44, D51). */
import type { Messages } from "../../spec/generated/messages.ts";
import type { DigestFunction } from "../../wire/digest-function.ts";
import type { BlobStore } from "../store/blob-store.ts";

type ActionResult = Messages["build.bazel.remote.execution.v2.ActionResult"];
type DigestMessage = Messages["build.bazel.remote.execution.v2.Digest"];

/** What a request asks to have inlined; both Execute and GetActionResult have these fields. */
export interface InlineHints {
  readonly inlineStdout: boolean;
  readonly inlineStderr: boolean;
  readonly inlineOutputFiles: readonly string[];
}

/** All that is inlined into one result, in bytes: far below what clients accept as one message. */
const BUDGET = 1 << 20;

/** Fills in the contents that were asked for, as far as they are stored and short enough. Digests stay. */
export async function inlineInto(
  result: ActionResult,
  hints: InlineHints,
  store: BlobStore,
  digestFunction: DigestFunction,
): Promise<void> {
  let left = BUDGET;
  const contentOf = async ({ hash, sizeBytes }: DigestMessage): Promise<Buffer | null> => {
    const size = Number(sizeBytes);
    const content = size > left ? null : await store.get({ hash, sizeBytes: size, digestFunction });
    left -= content?.length ?? 0;
    return content;
  };
  if (hints.inlineStdout && result.stdoutDigest) {
    result.stdoutRaw = (await contentOf(result.stdoutDigest)) ?? result.stdoutRaw;
  }
  if (hints.inlineStderr && result.stderrDigest) {
    result.stderrRaw = (await contentOf(result.stderrDigest)) ?? result.stderrRaw;
  }
  const wanted = new Set(hints.inlineOutputFiles);
  for (const file of result.outputFiles) {
    if (!wanted.has(file.path) || file.digest === null) continue;
    file.contents = (await contentOf(file.digest)) ?? file.contents;
  }
}
