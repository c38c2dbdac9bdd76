/** What is in the input root besides files, and what is said of them (D31, D34); and of outputs (D30). */
import { knows } from "../../spec/ledger.ts";
import { Status } from "../../wire/status.ts";
import type { Attributes } from "../attributes.ts";
import { type Manner, propertyFormOf } from "../manner.ts";
import { directory, file, input, type ShapeFacts } from "./shape.ts";

/** A moment of 2001, and the same as `touch` takes it. */
const MOMENT = 981_173_045;
const STAMP = "200102030404.05";

/** Whether a server of the client's own level understands its node properties. */
const saysProperties = ({ level, nodeProperties: { form } }: Manner): boolean =>
  form !== "none" && form === propertyFormOf(level);

/** Prints how old a file is and who may do what with it. */
const DESCRIBE = `touch -t 201001010000 then; if [ -n "$(find in.txt -newer then)" ]; then echo new; else echo old; fi; ls -l in.txt | cut -c1-10`;

/** Outputs, each with these attributes. */
const withAttributes = (attributes?: Attributes) => ({
  "out.txt": { ...file("made\n"), ...(attributes && { attributes }) },
  out: directory({ "in.txt": { ...file("in\n"), ...(attributes && { attributes }) } }),
});

/** The shapes. */
export const INPUT_SHAPES = {
  "input-links": {
    title: "symlinks among the inputs",
    inputs: {
      "real.txt": input("real\n"),
      "dir/link.txt": { kind: "symlink", target: "../real.txt" },
      linked: { kind: "symlink", target: "dir" },
      none: { kind: "symlink", target: "nowhere" },
    },
    script: "cat linked/link.txt; readlink none",
    stdout: "real\nnowhere\n",
  },
  "odd-link-targets": {
    title: "symlinks among the inputs with /./ and // in their targets, which were forbidden before 2.2",
    inputs: {
      "dir/real.txt": input("real\n"),
      a: { kind: "symlink", target: "dir/./real.txt" },
      b: { kind: "symlink", target: "dir//real.txt" },
    },
    script: "cat a b",
    stdout: "real\nreal\n",
    seenBy: ({ level }) =>
      knows(level, "behaviour:lenient-symlink-targets") ? {} : { failure: Status.INVALID_ARGUMENT },
  },
  "empty-input-directories": {
    title: "empty directories among the inputs",
    inputs: { empty: { kind: "directory" }, "a/empty": { kind: "directory" }, "a/in.txt": input("in\n") },
    script: "rmdir empty; rmdir a/empty; echo gone",
    stdout: "gone\n",
  },
  "input-attributes": {
    title: "inputs with a modification time and permissions",
    inputs: {
      "in.txt": { kind: "file", content: "in\n", attributes: { mtime: MOMENT, unixMode: 0o750 } },
    },
    script: DESCRIBE,
    stdout: "old\n-rwxr-x---\n",
    seenBy: (manner) => (saysProperties(manner) ? {} : { stdout: "new\n-rw-r--r--\n" }),
  },
  "output-attributes": {
    title: "outputs of which the modification time and permissions are asked for",
    script: `echo made > out.txt; mkdir -p out; echo in > out/in.txt; for f in out.txt out/in.txt; do chmod 640 $f; touch -t ${STAMP} $f; done`,
    spec: { outputProperties: ["mtime", "unix_mode"], environment: { TZ: "UTC" } },
    outputs: withAttributes(),
    seenBy: (manner) =>
      saysProperties(manner) ? { outputs: withAttributes({ mtime: MOMENT, unixMode: 0o640 }) } : {},
  },
} as const satisfies Readonly<Record<string, ShapeFacts>>;
