/** Where a platform is asked for (D36). */
import { knows } from "../../spec/ledger.ts";
import { Status } from "../../wire/status.ts";
import type { Platform } from "../action-spec.ts";
import { file, type ShapeFacts } from "./shape.ts";

/** This machine, as the lexicon of platforms has it, and one that is nowhere. */
const HERE: Platform = { OSFamily: process.platform === "darwin" ? "macos" : process.platform };
const ELSEWHERE: Platform = { OSFamily: "plan9" };

const MADE = { script: "echo made > out.txt", outputs: { "out.txt": file("made\n") } } as const;

/** The shapes. */
export const PLATFORM_SHAPES = {
  platform: { title: "an action for one platform", ...MADE, platform: HERE },
  "no-platform": { title: "an action for any platform", ...MADE, platform: null },
  "platform-in-command": {
    title: "a platform that only the Command asks for",
    ...MADE,
    spec: { platforms: { command: HERE } },
  },
  "platform-in-action": {
    title: "a platform that only the Action asks for",
    ...MADE,
    spec: { platforms: { action: HERE } },
  },
  "equal-platforms": {
    title: "a platform that Command and Action ask for",
    ...MADE,
    spec: { platforms: { command: HERE, action: HERE } },
  },
  "different-platforms": {
    title: "different platforms in Command and Action: since 2.2 the Action's counts",
    ...MADE,
    spec: { platforms: { command: ELSEWHERE, action: HERE } },
    seenBy: ({ level }) =>
      knows(level, "build.bazel.remote.execution.v2.Action.platform") ||
      !knows(level, "behaviour:platform-lexicon")
        ? {}
        : { failure: Status.FAILED_PRECONDITION, outputs: {} },
  },
  "other-platform": {
    title: "a platform that no worker has",
    script: "echo made > out.txt",
    alsoDeclares: [{ path: "out.txt", kind: "file" }],
    platform: ELSEWHERE,
    seenBy: ({ level }) =>
      knows(level, "behaviour:platform-lexicon")
        ? { failure: Status.FAILED_PRECONDITION }
        : { outputs: MADE.outputs },
  },
} as const satisfies Readonly<Record<string, ShapeFacts>>;
