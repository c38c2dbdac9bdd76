/** Results of actions that ran where nobody read how they declare their outputs (D24). */
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { Status } from "../../wire/status.ts";
import type { OutputLists } from "../declared-outputs.ts";
import { ResultOutputs } from "../output-links.ts";
import type { Originals } from "../translator.ts";

/**
 * Keeps a result from being taken for the client's that was stored under the client's own Action and has none of the outputs that it declares: most likely the
 * action ran without the bridge, at this very server, which did not see them. That makes it a miss, after which the action runs as it should; one that makes none of its
 * outputs is then found under the digest of what ran.
 * @throws UpstreamError NOT_FOUND for such a result.
 */
export function refuseEmptied(
  result: Buffer,
  { files, directories, paths }: OutputLists,
  { foreign }: Originals,
): void {
  if (!foreign || files.size + directories.size + paths.size === 0) return;
  if (new ResultOutputs(result).all.length > 0) return;
  throw new UpstreamError(
    Status.NOT_FOUND,
    "the result that is stored has none of the outputs that the action declares: it may come from a run without the bridge",
  );
}
