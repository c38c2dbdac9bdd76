/** What a request wants inside of its result (D44, D51), from where it is asked to where the result comes. */
import type { Call, InlineWishes } from "../translators/translator.ts";
import { Walker, WireType } from "../wire/walker.ts";

/** Field numbers of the wishes in a request. */
export interface WishFields {
  readonly inlineStdout: number;
  readonly inlineStderr: number;
  readonly inlined: number;
}

const SCRATCH = "inline-wishes";
const NONE: InlineWishes = { stdout: false, stderr: false, files: [] };

/** Takes note of what the client's own request wants. @throws WireError for broken bytes. */
export function noteWishes(request: Buffer, fields: WishFields, { scratch }: Call): void {
  let stdout = false;
  let stderr = false;
  const files: string[] = [];
  const field = new Walker(request);
  while (field.next()) {
    const { number, wireType } = field;
    if (number === fields.inlineStdout && wireType === WireType.VARINT) stdout = field.bool();
    else if (number === fields.inlineStderr && wireType === WireType.VARINT) stderr = field.bool();
    else if (number === fields.inlined && wireType === WireType.LEN) files.push(field.text());
  }
  scratch.set(SCRATCH, { stdout, stderr, files } satisfies InlineWishes);
}

/** What the call's request wants; nothing where it is about an operation, which says no more of it. */
export function wishesOf({ scratch }: Call): InlineWishes {
  return (scratch.get(SCRATCH) as InlineWishes | undefined) ?? NONE;
}
