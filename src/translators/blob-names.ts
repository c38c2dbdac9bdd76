/** Names of blobs in the messages of ByteStream. */
import { resourceNameIn } from "../wire/byte-stream.ts";
import { parseResourceName, type ResourceName } from "../wire/resource-name.ts";
import { joined, rewriteMessage } from "../wire/rewrite.ts";
import { Walker } from "../wire/walker.ts";
import type { FirstMessage } from "./translator.ts";

const RESOURCE_NAME = 1;

/**
 * Whether a call is about a compressed blob that `test` holds for. True as well where the name does not show, because it is cut off or because the message is
 * broken: whoever opens the call looks again.
 */
export function aboutCompressed({ bytes }: FirstMessage, test: (name: ResourceName) => boolean): boolean {
  const name = resourceNameIn(bytes);
  if (name === null) return true;
  const parsed = compressedName(name);
  return parsed !== null && test(parsed);
}

/** The parts of the name of a compressed blob; null for every other name. */
export function compressedName(name: string): (ResourceName & { readonly compressor: string }) | null {
  if (!name.includes("compressed-blobs/")) return null;
  const parsed = parseResourceName(name);
  return parsed === null || parsed.compressor === null ? null : { ...parsed, compressor: parsed.compressor };
}

/** A message of ByteStream with another name; every other field stays. */
export function renamed(message: Buffer, name: string): Buffer {
  const slices = rewriteMessage(
    new Walker(message),
    ({ number }) => (number === RESOURCE_NAME ? "drop" : "keep"),
    (out) => out.text(RESOURCE_NAME, name),
  );
  return joined(slices, message);
}
