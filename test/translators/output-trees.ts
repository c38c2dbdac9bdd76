/** Output directories, for tests of what is cut out of them. */
import { codec, type Draft } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { makeTree } from "../../src/tree/tree-message.ts";
import { type Digest, formatDigest } from "../../src/wire/digest.ts";
import { DIGEST_FUNCTIONS } from "../../src/wire/digest-function.ts";
import { digestOf } from "../../src/wire/hasher.ts";
import type { MemoryUpstream } from "../support/memory-upstream.ts";

const V2 = "build.bazel.remote.execution.v2";

export type Command = Draft<Messages[`${typeof V2}.Command`]>;
export type Result = Draft<Messages[`${typeof V2}.ActionResult`]>;

/** What a directory holds by name: a directory, a file (`file`, `program`), or a link (`-> target`). */
export interface Shape {
  readonly [name: string]: Shape | string;
}

const CONTENT = { hash: "ab".repeat(32), sizeBytes: 3n };

/** A digest as messages have it. */
export function inMessage({ hash, sizeBytes }: Digest): { hash: string; sizeBytes: bigint } {
  return { hash, sizeBytes: BigInt(sizeBytes) };
}

/** The Tree of a shape. */
function treeOf(shape: Shape): Buffer {
  const stored = new Map<string, Buffer>();
  const directory = (inner: Shape): Buffer => {
    const entries = Object.entries(inner).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === "string");
    return codec().encode(`${V2}.Directory`, {
      files: texts
        .filter(([, text]) => !text.startsWith("-> "))
        .map(([name, text]) => ({ name, digest: CONTENT, isExecutable: text === "program" })),
      directories: entries.flatMap(([name, child]) => {
        if (typeof child === "string") return [];
        const bytes = directory(child);
        const digest = digestOf(bytes, DIGEST_FUNCTIONS[0]!);
        stored.set(formatDigest(digest), bytes);
        return [{ name, digest: inMessage(digest) }];
      }),
      symlinks: texts
        .filter(([, text]) => text.startsWith("-> "))
        .map(([name, text]) => ({ name, target: text.slice(3) })),
    });
  };
  return makeTree(directory(shape), (digest) => stored.get(formatDigest(digest))!).bytes;
}

/** An OutputDirectory as servers write it, with its Tree stored. */
export function captured(port: MemoryUpstream, path: string, shape: Shape) {
  return { path, treeDigest: inMessage(port.put(treeOf(shape))) };
}

/** An OutputDirectory as the bridge makes it. */
export function cut(path: string, shape: Shape) {
  const digest = digestOf(treeOf(shape), DIGEST_FUNCTIONS[0]!);
  return { path, treeDigest: inMessage(digest), isTopologicallySorted: true };
}

export const file = (path: string, isExecutable = false) => ({ path, digest: CONTENT, isExecutable });
export const link = (path: string, target: string) => ({ path, target });
export const encodeCommand = (command: Command): Buffer => codec().encode(`${V2}.Command`, command);
export const encodeResult = (result: Result): Buffer => codec().encode(`${V2}.ActionResult`, result);
export const decodeResult = (bytes: Buffer) => codec().decode(`${V2}.ActionResult`, bytes);
