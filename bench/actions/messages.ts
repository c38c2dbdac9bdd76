/** Actions and input trees as clients write them, and the calls about them. */
import { createHash } from "node:crypto";
import { codec, type Draft } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { type Digest, encodeDigest } from "../../src/wire/digest.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";

const V2 = "build.bazel.remote.execution.v2";

/** A blob of a client's. */
export interface ClientBlob {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** How a client declares what matters here. */
export interface Form {
  readonly platform: "command" | "action" | "both";
  readonly outputs: "lists" | "paths";
}

/** The outputs of each action: what a compiler makes of one file. */
const OUTPUTS = ["out/a.d", "out/a.o"];
const PLATFORM = {
  properties: [
    { name: "ISA", value: "x86-64" },
    { name: "OSFamily", value: "linux" },
    { name: "container-image", value: "docker://example.com/tools/compiler@sha256:2f8a6b0c" },
  ],
};
/** As long as the command line of a compiler is. */
const ARGUMENTS = ["/usr/bin/c++", ...Array.from({ length: 40 }, (_, i) => `-Isrc/library/${i}/include`)];

function blob(bytes: Buffer): ClientBlob {
  return {
    digest: { hash: createHash("sha256").update(bytes).digest("hex"), sizeBytes: bytes.length },
    bytes,
  };
}

function inMessage({ hash, sizeBytes }: Digest): { hash: string; sizeBytes: bigint } {
  return { hash, sizeBytes: BigInt(sizeBytes) };
}

/** An Action and its Command, of which nobody has heard before if `name` is new. The Action comes first. */
export function actionOf(name: string, { platform, outputs }: Form, root: Digest): [ClientBlob, ClientBlob] {
  const command: Draft<Messages[`${typeof V2}.Command`]> = {
    arguments: [...ARGUMENTS, `-DNAME=${name}`, "-c", "src/a.cc", "-o", "out/a.o"],
    environmentVariables: [
      { name: "LANG", value: "C.UTF-8" },
      { name: "PATH", value: "/usr/bin:/bin" },
    ],
    ...(outputs === "lists" ? { outputFiles: OUTPUTS } : { outputPaths: OUTPUTS }),
    ...(platform !== "action" && { platform: PLATFORM }),
  };
  const commandBlob = blob(codec().encode(`${V2}.Command`, command));
  const action = codec().encode(`${V2}.Action`, {
    commandDigest: inMessage(commandBlob.digest),
    inputRootDigest: inMessage(root),
    timeout: { seconds: 600n },
    ...(platform !== "command" && { platform: PLATFORM }),
  });
  return [blob(action), commandBlob];
}

const FILES_PER_DIRECTORY = 10;
/** Field numbers of Directory, and of the nodes in it. */
const Field = { files: 1, directories: 2, name: 1, digest: 2, pairs: 5 } as const;
/** The attribute that files of a workspace have, in the form of 2020. */
const MTIME = pair("MTime", "2020-03-04T05:06:07Z");

function pair(name: string, value: string): Buffer {
  const out = new FieldWriter();
  out.text(1, name);
  out.text(2, value);
  return out.toBuffer();
}

/** The tree of nothing. */
export const EMPTY_TREE: readonly ClientBlob[] = [blob(Buffer.alloc(0))];

/**
 * A tree of so many files, ten in each directory and up to ten directories in each, every file with a time. The root comes first; no directory is like
 * another, nor like one of a tree with another name.
 */
export function treeOf(name: string, files: number): ClientBlob[] {
  const count = Math.ceil(files / FILES_PER_DIRECTORY);
  const made: ClientBlob[] = Array.from({ length: count });
  for (let place = count - 1; place >= 0; place--) {
    const out = new FieldWriter();
    for (let i = 0; i < FILES_PER_DIRECTORY; i++) {
      const hash = createHash("sha256").update(`${name} ${place} ${i}`).digest("hex");
      const node = new FieldWriter();
      node.text(Field.name, `file-${i}.cc`);
      node.bytes(Field.digest, encodeDigest({ hash, sizeBytes: 4096 }));
      node.bytes(Field.pairs, MTIME);
      out.message(Field.files, node.finish());
    }
    for (let child = 10 * place + 1; child <= 10 * place + 10 && child < count; child++) {
      const node = new FieldWriter();
      node.text(Field.name, `directory-${(child - 1) % 10}`);
      node.bytes(Field.digest, encodeDigest(made[child]!.digest));
      out.message(Field.directories, node.finish());
    }
    made[place] = blob(out.toBuffer());
  }
  return made;
}

/** What is called about an action. */
export const CALLS = {
  execute: { path: `/${V2}.Execution/Execute`, name: "Execute", field: 6 },
  lookUp: { path: `/${V2}.ActionCache/GetActionResult`, name: "GetActionResult", field: 2 },
} as const;

/** One of them. */
export type CallKind = keyof typeof CALLS;

/** The request about an action, with the prefix that gRPC messages have. */
export function requestOf(kind: CallKind, action: Digest): Buffer {
  const out = new FieldWriter();
  out.bytes(CALLS[kind].field, encodeDigest(action));
  const message = out.toBuffer();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Requests of `BatchUpdateBlobs`, each of about 2 MiB unless a blob is longer. */
export function* uploads(blobs: readonly ClientBlob[]): Generator<Buffer, void, void> {
  let out = new FieldWriter();
  let length = 0;
  for (const { digest, bytes } of blobs) {
    if (length + bytes.length > 2 << 20) {
      yield out.toBuffer();
      out = new FieldWriter();
      length = 0;
    }
    const entry = new FieldWriter();
    entry.bytes(1, encodeDigest(digest));
    entry.bytes(2, bytes);
    out.message(2, entry.finish());
    length += bytes.length;
  }
  yield out.toBuffer();
}
