/** ContentAddressableStorage.GetTree: all directories below a root (D21). */
import { codec } from "../../spec/codec.ts";
import type { Level } from "../../spec/versions.ts";
import { formatDigest } from "../../wire/digest.ts";
import { FieldWriter } from "../../wire/field-writer.ts";
import { Status } from "../../wire/status.ts";
import { answerAs } from "../behaviour/answer-as.ts";
import type { TransferRules } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import type { Methods, V2 } from "../rpc/methods.ts";
import { type BlobDigest, BlobMissingError } from "../store/blob-store.ts";
import type { ServiceParts } from "./service-parts.ts";

const DIRECTORY = "build.bazel.remote.execution.v2.Directory";
/** The path of the method. */
export const GET_TREE = "/build.bazel.remote.execution.v2.ContentAddressableStorage/GetTree";

/** A page ends after as many bytes, so that every client takes it, or after as many directories if the client asks for no other number. */
const PAGE_BYTES = 1 << 20;
const PAGE_SIZE = 1000;

/** Registers the method. */
export function registerGetTree(methods: Methods, parts: ServiceParts): void {
  methods.serverStreaming<V2<"GetTreeRequest">, V2<"GetTreeResponse">>(GET_TREE, (request) => {
    if (request.rootDigest?.sizeBytes === 0n) answerAs(parts.behaviour, "empty-tree");
    return pages(parts, pagesAsked(parts.behaviour.transfer, request));
  });
}

/** Each distinct directory, breadth first; those that are missing are left out, except the root. */
async function* walk({ behaviour, digests, store }: ServiceParts, root: BlobDigest): AsyncIterable<Buffer> {
  const { number } = root.digestFunction;
  const seen = new Set([formatDigest(root)]);
  // Grows while it is walked.
  const queue = [root];
  for (const digest of queue) {
    const bytes = await store.get(digest);
    if (bytes === null && digest === root) throw new BlobMissingError(root);
    if (bytes === null) continue;
    const { directories } = codec(behaviour.level).decode(DIRECTORY, bytes);
    yield behaviour.transfer.treeDirectories === "as-stored" ? bytes : understood(bytes, behaviour.level);
    for (const child of directories) {
      const read = digests.read(child.digest, number, "directories.digest");
      const name = formatDigest(read);
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push(read);
    }
  }
}

/** A Directory without what the level does not know, as codecs write it that drop unknown fields: with another digest. */
function understood(bytes: Buffer, level: Level): Buffer {
  return codec(level).encode(DIRECTORY, structuredClone(codec(level).decode(DIRECTORY, bytes)));
}

/** The request as the server takes it: not every one has pages of a size that the client chooses. */
function pagesAsked({ treePages }: TransferRules, request: V2<"GetTreeRequest">): V2<"GetTreeRequest"> {
  const { pageSize, pageToken } = request;
  if (treePages === "honoured" || (pageSize === 0 && pageToken === "")) return request;
  if (treePages === "ignored") return Object.assign(request, { pageSize: 0, pageToken: "" });
  throw new CallError(Status.UNIMPLEMENTED, "page_size and page_token are not supported; leave them out");
}

/** A page token is the number of directories before it: the walk is the same each time. */
async function* pages(parts: ServiceParts, request: V2<"GetTreeRequest">): AsyncIterable<Buffer> {
  const root = parts.digests.read(request.rootDigest, request.digestFunction, "root_digest");
  const skip = position(request.pageToken);
  const pageSize = pageSizeOf(request.pageSize);
  let at = 0;
  let page: Buffer[] = [];
  let bytes = 0;
  for await (const directory of walk(parts, root)) {
    at += 1;
    if (at <= skip) continue;
    if (page.length === pageSize || (page.length > 0 && bytes + directory.length > PAGE_BYTES)) {
      yield response(page, String(at - 1));
      page = [];
      bytes = 0;
    }
    page.push(directory);
    bytes += directory.length;
  }
  yield response(page, "");
}

function pageSizeOf(asked: number): number {
  if (asked < 0) throw new CallError(Status.INVALID_ARGUMENT, "page_size is negative");
  return asked === 0 ? PAGE_SIZE : asked;
}

function position(pageToken: string): number {
  if (/^[0-9]{0,9}$/.test(pageToken)) return Number(pageToken);
  throw new CallError(Status.INVALID_ARGUMENT, "page_token is none of this server");
}

/** Written by hand: directories go out byte for byte, as their digests cover bytes. */
function response(directories: readonly Buffer[], nextPageToken: string): Buffer {
  const out = new FieldWriter();
  for (const directory of directories) out.bytes(1, directory);
  if (nextPageToken !== "") out.text(2, nextPageToken);
  return out.toBuffer();
}
