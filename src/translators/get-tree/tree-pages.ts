/** A GetTreeRequest answered by walking (D21). */
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { FieldWriter } from "../../wire/field-writer.ts";
import { digestIn, numberIn, textIn } from "../../wire/fields.ts";
import { Status } from "../../wire/status.ts";
import type { Call } from "../translator.ts";
import { readMark, type TreeMark, TreePosition } from "./tree-position.ts";
import { type WalkedDirectory, walkTree } from "./tree-walk.ts";

/** Field numbers of GetTreeRequest and GetTreeResponse. */
export const TreeRequestField = { root: 2, pageSize: 3, pageToken: 4, digestFunction: 5 } as const;
const ResponseField = { directories: 1, nextPageToken: 2 } as const;

/** A response ends after so many bytes of directories, so that every client takes it; a single directory may be longer. */
const PAGE_BYTES = 1 << 20;

/**
 * The responses to a request: its pages, and all that come after them. Directories are the stored bytes. `tooLarge` makes the error of a tree that is more
 * than the bridge walks.
 *
 * Pages go on exactly where the last one ended, while what came before is as it was. If a directory of it went missing or came back since, all are sent again
 * from the root: a client may get some twice, and misses none.
 * @throws UpstreamError, as a server would end the call; what `tooLarge` makes; WireError for broken bytes.
 */
export async function* treePages(
  request: Buffer,
  { budget, portFor }: Call,
  tooLarge: (what: string) => Error,
): AsyncGenerator<readonly Buffer[], void, void> {
  const given = digestIn(request, TreeRequestField.root);
  if (given === null) throw invalid("root_digest is missing");
  // In a request the case of a hash does not matter (D12).
  const root = { ...given, hash: given.hash.toLowerCase() };
  const pageSize = numberIn(request, TreeRequestField.pageSize);
  if (pageSize < 0) throw invalid("page_size is negative");
  const mark = readMark(textIn(request, TreeRequestField.pageToken));
  const port = portFor(numberIn(request, TreeRequestField.digestFunction));
  const position = new TreePosition();
  const walk = () => walkTree(root, { port, budget, tooLarge });
  yield* pages(mark === null ? walk() : from(mark, walk, position), pageSize, position);
}

/** The directories after a mark; all of them where those before it are others than when it was made. */
async function* from(
  mark: TreeMark,
  walk: () => AsyncGenerator<WalkedDirectory, void, void>,
  position: TreePosition,
): AsyncGenerator<WalkedDirectory, void, void> {
  let goesOn: boolean | null = null;
  for await (const directory of walk()) {
    if (goesOn === null && position.count < mark.count) {
      position.pass(directory.digest);
      continue;
    }
    goesOn ??= position.token === mark.token;
    if (!goesOn) break;
    yield directory;
  }
  if (goesOn ?? position.token === mark.token) return;
  position.reset();
  yield* walk();
}

/** Responses of at most `pageSize` directories, as many as fit for 0. */
async function* pages(
  directories: AsyncIterable<WalkedDirectory>,
  pageSize: number,
  position: TreePosition,
): AsyncGenerator<readonly Buffer[], void, void> {
  let page = new FieldWriter();
  let count = 0;
  for await (const { digest, bytes } of directories) {
    if (count > 0 && (count === pageSize || page.byteLength + bytes.length > PAGE_BYTES)) {
      page.text(ResponseField.nextPageToken, position.token);
      yield page.finish();
      page = new FieldWriter();
      count = 0;
    }
    page.bytes(ResponseField.directories, bytes);
    count++;
    position.pass(digest);
  }
  yield page.finish();
}

function invalid(message: string): UpstreamError {
  return new UpstreamError(Status.INVALID_ARGUMENT, message);
}
