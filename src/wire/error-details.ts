/** The messages of google.rpc that errors of the Remote Execution API carry (drift.md R6, D07). */
import { FieldWriter } from "./field-writer.ts";
import type { Detail } from "./status-details.ts";
import { Walker } from "./walker.ts";

const PREFIX = "type.googleapis.com/google.rpc.";

/** A `google.rpc.ErrorInfo`: why, by whose vocabulary, and facts for programs. */
export interface ErrorInfo {
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One violation of a `google.rpc.PreconditionFailure`. A missing blob has the type `MISSING` and a subject `blobs/…`. */
export interface Violation {
  readonly type: string;
  readonly subject: string;
  readonly description: string;
}

/** One field of a `google.rpc.BadRequest`: its path in the request, and what is wrong with it. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** The detail for an {@link ErrorInfo}; metadata sorted by key. */
export function errorInfoDetail(info: ErrorInfo): Detail {
  const out = new FieldWriter();
  writeTexts(out, [info.reason, info.domain]);
  for (const key of Object.keys(info.metadata).sort()) {
    out.message(3, encodeTexts([key, info.metadata[key]!]));
  }
  return { typeUrl: `${PREFIX}ErrorInfo`, value: out.toBuffer() };
}

/** The detail for missing blobs and other preconditions. */
export function preconditionFailureDetail(violations: readonly Violation[]): Detail {
  const value = repeated(violations.map((v) => [v.type, v.subject, v.description]));
  return { typeUrl: `${PREFIX}PreconditionFailure`, value };
}

/** The detail that names the wrong fields of a request. */
export function badRequestDetail(violations: readonly FieldViolation[]): Detail {
  return { typeUrl: `${PREFIX}BadRequest`, value: repeated(violations.map((v) => [v.field, v.description])) };
}

/** Reads the value of an ErrorInfo detail. @throws WireError as the walker does. */
export function readErrorInfo(value: Buffer): ErrorInfo {
  const message = new Walker(value);
  const info = { reason: "", domain: "", metadata: Object.create(null) as Record<string, string> };
  while (message.next()) {
    if (message.number === 1) info.reason = message.text();
    else if (message.number === 2) info.domain = message.text();
    else if (message.number === 3) {
      const [key, text] = readTexts(message.enter(), 2);
      info.metadata[key!] = text!;
    }
  }
  return info;
}

/** Reads the value of a PreconditionFailure detail. @throws WireError as the walker does. */
export function readPreconditionFailure(value: Buffer): Violation[] {
  return readRepeated(value, 3).map(([type, subject, description]) => ({
    type: type!,
    subject: subject!,
    description: description!,
  }));
}

/** Reads the value of a BadRequest detail. @throws WireError as the walker does. */
export function readBadRequest(value: Buffer): FieldViolation[] {
  return readRepeated(value, 2).map(([field, description]) => ({ field: field!, description: description! }));
}

/** A message whose only field, 1, repeats messages of strings numbered from 1. */
function repeated(items: readonly (readonly string[])[]): Buffer {
  const out = new FieldWriter();
  for (const item of items) out.message(1, encodeTexts(item));
  return out.toBuffer();
}

function readRepeated(value: Buffer, count: number): string[][] {
  const message = new Walker(value);
  const items: string[][] = [];
  while (message.next()) if (message.number === 1) items.push(readTexts(message.enter(), count));
  return items;
}

function encodeTexts(texts: readonly string[]): Buffer[] {
  const out = new FieldWriter();
  writeTexts(out, texts);
  return out.finish();
}

function writeTexts(out: FieldWriter, texts: readonly string[]): void {
  texts.forEach((text, index) => {
    if (text !== "") out.text(index + 1, text);
  });
}

/** The strings in fields 1 … `count`; "" where one is absent. */
function readTexts(message: Walker, count: number): string[] {
  const texts = Array<string>(count).fill("");
  while (message.next()) if (message.number <= count) texts[message.number - 1] = message.text();
  return texts;
}
