/** What clients do before servers of another level. */
import type { Manner } from "../../client/manner.ts";
import type { Shape } from "../../client/samples.ts";
import type { Level } from "../../spec/versions.ts";
import type { UsedForm } from "./prediction.ts";

/** One thing that a client does: a small action, and how it goes about it where that is not as its level has it. */
export interface LevelStep {
  readonly title: string;
  readonly shape: Shape;
  readonly manner?: Partial<Manner>;
  /** The form that is at issue; null where it has nothing in which peers differ. */
  readonly uses: UsedForm | null;
}

/** A client, a server, and what the client does. */
export interface LevelPair {
  readonly client: Level;
  readonly server: Level;
  /** What to expect, in a line. */
  readonly about: string;
  readonly steps: readonly LevelStep[];
}

/** Everything goes as a stream, which has a name for each blob. */
const STREAMS = { update: false, read: false, maxBytes: 0, overheadBytes: 0 };

const LISTS: UsedForm = { feature: "output-paths", direction: "toServer", form: "lists" };

const NEWER_CLIENT: LevelPair = {
  client: "2.12",
  server: "2.0",
  about: "A server skips the fields it does not know and says nothing: what they asked for gets lost.",
  steps: [
    { title: "an action that only prints", shape: "stdout", uses: null },
    {
      title: "an output file, in output_paths",
      shape: "file",
      uses: { feature: "output-paths", direction: "toServer", form: "paths" },
    },
    { title: "the same, in output_files as well", shape: "file", manner: { outputs: "all" }, uses: LISTS },
    {
      title: "a symlink among the outputs",
      shape: "link-to-file",
      manner: { outputs: "all" },
      uses: { feature: "output-symlinks", direction: "toClient", form: "typed" },
    },
    {
      title: "an upload that names its hash function",
      shape: "stdout",
      manner: { functionSegment: true, batches: STREAMS },
      uses: { feature: "resource-names", direction: "toServer", form: "extended" },
    },
    {
      title: "an upload that is compressed",
      shape: "stdout",
      manner: { compressor: "ZSTD", batches: STREAMS },
      uses: { feature: "compressed-blobs", direction: "toServer", form: "zstd" },
    },
  ],
};

const OLDER_CLIENT: LevelPair = {
  client: "2018-11",
  server: "2.12",
  about: "Servers still take what older clients write; the bridge has to keep it so.",
  steps: [
    { title: "an action that only prints", shape: "stdout", uses: null },
    { title: "an output file, in output_files", shape: "file", uses: LISTS },
    { title: "an output directory", shape: "directory", uses: LISTS },
    {
      title: "a symlink among the outputs",
      shape: "link-to-file",
      uses: { feature: "output-symlinks", direction: "toClient", form: "declared" },
    },
    { title: "an action that fails", shape: "failure", uses: null },
  ],
};

/** What the demo shows. */
export const LEVEL_PAIRS: readonly LevelPair[] = [NEWER_CLIENT, OLDER_CLIENT];
