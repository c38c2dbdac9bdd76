/** How commands run, end and print (D42, D44, D51). */
import { Status } from "../../wire/status.ts";
import { file, type ShapeFacts } from "./shape.ts";

/** More than any server puts into a result unasked. */
const LONG = 100_000;

/** The shapes. */
export const RUN_SHAPES = {
  failure: {
    title: "an action that fails",
    script: "echo oops >&2; exit 3",
    exitCode: 3,
    stderr: "oops\n",
    cacheable: false,
  },
  "failure-with-output": {
    title: "an action that fails after it has made its output",
    script: "echo made > out.txt; exit 1",
    outputs: { "out.txt": file("made\n") },
    exitCode: 1,
    cacheable: false,
  },
  timeout: {
    title: "an action that takes longer than it may",
    script: "sleep 30",
    spec: { timeoutSeconds: 0.2 },
    seenBy: () => ({ failure: Status.DEADLINE_EXCEEDED }),
    cacheable: false,
  },
  stdout: { title: "an action that only prints", script: "echo hello", stdout: "hello\n" },
  "long-stdout": {
    title: "an action that prints much",
    script: `head -c ${LONG} /dev/zero | tr '\\0' x`,
    stdout: "x".repeat(LONG),
  },
  inline: {
    title: "an action of which all is wanted in the result itself",
    script: "echo made > out.txt; echo other > other.txt; echo hello; echo oops >&2",
    outputs: { "out.txt": file("made\n"), "other.txt": file("other\n") },
    stdout: "hello\n",
    stderr: "oops\n",
    spec: { inline: { stdout: true, stderr: true, files: ["out.txt"] } },
  },
  environment: {
    title: "variables with odd values, and arguments",
    spec: {
      arguments: ["-c", `printf '%s|' "$A" "$B" "$0" "$1"`, "zero", "a b"],
      environment: { B: "", A: "x=y z" },
    },
    stdout: "x=y z||zero|a b|",
  },
} as const satisfies Readonly<Record<string, ShapeFacts>>;
