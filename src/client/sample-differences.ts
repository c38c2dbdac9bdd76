/** Compares what came of a sample with what has to come. */
import type { Attributes } from "./attributes.ts";
import type { Entry, Path } from "./directories.ts";
import type { Output } from "./outputs.ts";
import type { RemoteStore } from "./remote-store.ts";
import type { Expectation, Expected, ExpectedEntry } from "./samples.ts";

/** What came, as the client reads it. */
export interface Seen {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** By path from the input root. */
  readonly outputs: ReadonlyMap<Path, Output>;
}

type Blobs = Pick<RemoteStore, "read">;

/** All that is not as it has to be: a line each for people. Files in directories are read, so that it throws as `read` does. */
export async function differences(seen: Seen, expected: Expectation, blobs: Blobs): Promise<string[]> {
  const { exitCode, stdout, stderr, outputs } = seen;
  const wrong: string[] = [];
  const sameExit = exitCode === expected.exitCode;
  if (!sameExit) {
    wrong.push(`the exit code is ${exitCode}, not ${expected.exitCode}: ${stderr.trim() || stdout.trim()}`);
  }
  if (stdout !== expected.stdout) wrong.push(`it printed ${shown(stdout)}`);
  if (sameExit && stderr !== expected.stderr) wrong.push(`its errors are ${shown(stderr)}`);
  for (const [path, wanted] of Object.entries(expected.outputs)) {
    const output = outputs.get(path);
    if (output === undefined) wrong.push(`the output ${path} did not come`);
    else if (!(await isAs(output, wanted, blobs))) wrong.push(`the output ${path} is not what it should be`);
  }
  for (const path of outputs.keys()) {
    if (!Object.hasOwn(expected.outputs, path)) wrong.push(`the output ${path} should not have come`);
  }
  return wrong;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 197)}...` : text);
}

async function isAs(output: Output, expected: Expected, blobs: Blobs): Promise<boolean> {
  switch (expected.kind) {
    case "file":
      return (
        output.kind === "file" &&
        output.content.toString() === expected.content &&
        output.executable === (expected.executable ?? false) &&
        hasAttributes(output, expected.attributes)
      );
    case "symlink":
      return output.kind === "symlink" && output.target === expected.target;
    case "directory":
      return output.kind === "directory" && holds(output.entries, expected.entries, blobs);
  }
}

/** Whether a directory has just these entries. */
async function holds(
  entries: ReadonlyMap<Path, Entry>,
  expected: Readonly<Record<Path, ExpectedEntry>>,
  blobs: Blobs,
): Promise<boolean> {
  const wanted = Object.entries(expected);
  if (wanted.length !== entries.size) return false;
  const files: { digest: Extract<Entry, { kind: "file" }>["digest"]; content: string }[] = [];
  for (const [path, entry] of wanted) {
    const found = entries.get(path);
    if (found?.kind !== entry.kind) return false;
    if (found.kind === "symlink" && entry.kind === "symlink" && found.target !== entry.target) return false;
    if (found.kind !== "file" || entry.kind !== "file") continue;
    if (found.executable !== (entry.executable ?? false)) return false;
    if (!hasAttributes(found, entry.attributes)) return false;
    files.push({ digest: found.digest, content: entry.content });
  }
  const contents = await blobs.read(files.map(({ digest }) => digest));
  return files.every(({ content }, i) => contents[i]!.toString() === content);
}

function hasAttributes(
  { attributes: found }: { readonly attributes?: Attributes },
  expected: Attributes = {},
): boolean {
  return (["mtime", "unixMode"] as const).every(
    (name) => expected[name] === undefined || expected[name] === found?.[name],
  );
}
