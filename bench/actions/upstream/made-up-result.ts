/** Results of actions that never run: each output that a Command declares is there, with contents that nobody reads. */
import { createHash } from "node:crypto";
import { codec } from "../../../src/spec/codec.ts";
import type { Digest } from "../../../src/wire/digest.ts";
import { encodeDigest } from "../../../src/wire/digest.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";

const V2 = "build.bazel.remote.execution.v2";
/** What is in every directory that a Command declares: outputs of a compiler, and what it leaves beside them. */
const LEFT = ["a.d", "a.log", "a.o"];

interface Stored {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** A result, and the Trees that it refers to. */
interface MadeUp {
  readonly result: Buffer;
  readonly trees: readonly Stored[];
}

/** The result of an action. Files whose names begin with a dot are not made. @throws what `load` throws for a Command that is not stored. */
export function resultOf(key: string, action: Buffer, load: (digest: Digest) => Buffer): MadeUp {
  const { commandDigest } = codec().decode(`${V2}.Action`, action);
  const { hash, sizeBytes } = commandDigest!;
  const command = codec().decode(`${V2}.Command`, load({ hash, sizeBytes: Number(sizeBytes) }));
  const { outputFiles, outputDirectories, outputPaths } = command;
  const made = [...outputFiles, ...outputPaths].filter((path) => !/(^|\/)\.[^/]*$/.test(path));
  const files = made.map((path) => ({ path, digest: contentOf(key, path) }));
  const trees = outputDirectories.map((path) => ({ path, ...treeOf(key, path) }));
  const directories = trees.map(({ path, digest }) => ({ path, treeDigest: inMessage(digest) }));
  const result = codec().encode(`${V2}.ActionResult`, {
    outputFiles: files,
    outputDirectories: directories,
    executionMetadata: { worker: "worker-1" },
  });
  return { result, trees };
}

/** A finished operation, as servers that ran it tell. */
export function finishedOperation(action: Digest, result: Buffer): Buffer {
  const metadata = new FieldWriter();
  metadata.varint(1, 4);
  metadata.bytes(2, encodeDigest(action));
  const response = new FieldWriter();
  response.bytes(1, result);
  const operation = new FieldWriter();
  operation.text(1, `operations/${action.hash}`);
  operation.message(2, any("ExecuteOperationMetadata", metadata));
  operation.varint(3, 1);
  operation.message(5, any("ExecuteResponse", response));
  return operation.toBuffer();
}

function any(type: string, value: FieldWriter): readonly Buffer[] {
  const out = new FieldWriter();
  out.text(1, `type.googleapis.com/${V2}.${type}`);
  out.message(2, value.finish());
  return out.finish();
}

function treeOf(key: string, path: string): Stored {
  const files = LEFT.map((name) => ({ name, digest: contentOf(key, `${path}/${name}`) }));
  const bytes = codec().encode(`${V2}.Tree`, { root: { files } });
  return { digest: { hash: sha256(bytes), sizeBytes: bytes.length }, bytes };
}

function contentOf(key: string, path: string): { hash: string; sizeBytes: bigint } {
  return { hash: sha256(`${key} ${path}`), sizeBytes: 4096n };
}

function inMessage({ hash, sizeBytes }: Digest): { hash: string; sizeBytes: bigint } {
  return { hash, sizeBytes: BigInt(sizeBytes) };
}

function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
