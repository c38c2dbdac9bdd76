/** Single fields of an Action and of its Command, where they lie. */
import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { Edit } from "./translator.ts";

/** Field numbers of Action. */
export const ActionField = { doNotCache: 7, salt: 9, platform: 10 } as const;

/** Field numbers of Command; `format` is output_directory_format, or what the draft P20 took the number for. */
export const CommandField = {
  arguments: 1,
  files: 3,
  directories: 4,
  platform: 5,
  workingDirectory: 6,
  paths: 7,
  format: 9,
} as const;

/** The lists in which a Command declares outputs. */
export const OUTPUT_LISTS = [CommandField.files, CommandField.directories, CommandField.paths] as const;

/** The names of those lists, as errors call them. */
export const OUTPUT_LIST_NAMES = {
  [CommandField.files]: "output_files",
  [CommandField.directories]: "output_directories",
  [CommandField.paths]: "output_paths",
} as const;

/** The values of a bytes, string or message field, in order. @throws WireError for broken bytes. */
export function payloadsOf(message: Buffer, number: number): Buffer[] {
  const payloads: Buffer[] = [];
  const field = new Walker(message);
  while (field.next())
    if (field.number === number && field.wireType === WireType.LEN) payloads.push(field.bytes());
  return payloads;
}

/** The values of a string field, in order. @throws WireError for broken bytes, and for text that is none. */
export function textsOf(message: Buffer, number: number): string[] {
  const texts: string[] = [];
  const field = new Walker(message);
  while (field.next())
    if (field.number === number && field.wireType === WireType.LEN) texts.push(field.text());
  return texts;
}

/** A message field as every reader merges it, if it comes several times; null where it is absent. @throws WireError for broken bytes. */
export function messageIn(message: Buffer, number: number): Buffer | null {
  const parts = payloadsOf(message, number);
  if (parts.length === 0) return null;
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** A string field; empty where it is absent. @throws WireError for broken bytes, and for text that is none. */
export function textIn(message: Buffer, number: number): string {
  return textsOf(message, number).at(-1) ?? "";
}

/** Whether a number or a flag is set to anything but 0. @throws WireError for broken bytes. */
export function isSet(message: Buffer, number: number): boolean {
  let set = false;
  const field = new Walker(message);
  while (field.next())
    if (field.number === number && field.wireType === WireType.VARINT) set = field.uint64() !== 0n;
  return set;
}

/** The message with other values for some fields, each in the order given: none takes a field away. @throws WireError for broken bytes. */
export function withPayloads(message: Buffer, values: ReadonlyMap<number, readonly Buffer[]>): Edit {
  return rewriteMessage(
    new Walker(message),
    ({ number }) => (values.has(number) ? "drop" : "keep"),
    (out) => {
      for (const [number, payloads] of values) for (const payload of payloads) out.bytes(number, payload);
    },
  );
}

/** In the order of their bytes, each once: as servers want the lists of a Command. */
export function sortedTexts(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** A name or path for a message: quoted, and not longer than a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 197)}...` : text);
}
