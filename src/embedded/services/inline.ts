import type { DigestFunction } from "../../wire/digest-function.ts";
import type { DigestMessage } from "../digests.ts";
import type { V2 } from "../rpc/methods.ts";
import type { ServiceParts } from "./service-parts.ts";

/** What a request wants to have in the result itself: the hints of GetActionResultRequest and ExecuteRequest (D44, D51). */
export interface InlineWishes {
  readonly inlineStdout: boolean;
  readonly inlineStderr: boolean;
  readonly inlineOutputFiles: readonly string[];
}

/** Puts contents into the result as far as they are wished for, stored, and not too large together for the server. Digests stay. */
export async function inlineContents(
  { behaviour, digests, store }: Pick<ServiceParts, "behaviour" | "digests" | "store">,
  result: V2<"ActionResult">,
  wishes: InlineWishes,
  digestFunction: DigestFunction,
): Promise<void> {
  let left = behaviour.outputs.inlineBytes;
  const take = async (message: DigestMessage | null, put: (bytes: Buffer) => void) => {
    if (message === null || message.sizeBytes === 0n || message.sizeBytes > BigInt(left)) return;
    const bytes = await store.get(digests.read(message, digestFunction.number, "digest"));
    if (bytes === null) return;
    left -= bytes.length;
    put(bytes);
  };
  if (wishes.inlineStdout) {
    await take(result.stdoutDigest, (bytes) => {
      result.stdoutRaw = bytes;
    });
  }
  if (wishes.inlineStderr) {
    await take(result.stderrDigest, (bytes) => {
      result.stderrRaw = bytes;
    });
  }
  const paths = new Set(wishes.inlineOutputFiles);
  for (const file of result.outputFiles) {
    if (!paths.has(file.path)) continue;
    await take(file.digest, (bytes) => {
      file.contents = bytes;
    });
  }
}
