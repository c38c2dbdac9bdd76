/** Data inside of an ActionResult, next to the digests that name it (D51, D52). */
import { type Digest, encodeDigest, readDigest } from "../wire/digest.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { Edit } from "./translator.ts";

/** Field numbers of ActionResult, and of OutputFile in it. */
const ResultField = { files: 2, stdout: { data: 5, digest: 6 }, stderr: { data: 7, digest: 8 } } as const;
const FileField = { path: 1, digest: 2, data: 5 } as const;

/** Something that a result may hold, name, or both. */
export interface Output {
  readonly kind: "stdout" | "stderr" | "file";
  /** Of a file; empty for streams. */
  readonly path: string;
  /** Null where the result names none. */
  readonly digest: Digest | null;
  /** Empty where the result holds none. */
  readonly data: Buffer;
  /** Tells files apart. */
  readonly at: number;
}

/** What becomes of an output: data and digest that are absent stay as they are; empty data go. */
export interface OutputEdit {
  readonly data?: Buffer;
  readonly digest?: Digest;
}

const STREAMS = ["stdout", "stderr"] as const;
const EMPTY: Buffer = Buffer.alloc(0);

/** Both streams, whether there or not, and then the files in their order. @throws WireError for broken bytes. */
export function outputsIn(result: Buffer): Output[] {
  const streams = {
    stdout: { data: EMPTY, digest: noDigest() },
    stderr: { data: EMPTY, digest: noDigest() },
  };
  const files: Output[] = [];
  const field = new Walker(result);
  while (field.next()) {
    if (field.wireType !== WireType.LEN) continue;
    if (field.number === ResultField.files) files.push(fileIn(field.enter(), field.fieldStart));
    for (const kind of STREAMS) {
      if (field.number === ResultField[kind].data) streams[kind].data = field.bytes();
      else if (field.number === ResultField[kind].digest) streams[kind].digest = digestIn(field);
    }
  }
  const stream = (kind: "stdout" | "stderr"): Output => ({ kind, path: "", at: -1, ...streams[kind] });
  return [...STREAMS.map(stream), ...files];
}

/** The result with the outputs edited; null if `edits` is empty. */
export function withOutputs(result: Buffer, edits: ReadonlyMap<Output, OutputEdit>): Edit {
  if (edits.size === 0) return null;
  const files = new Map<number, OutputEdit>();
  const streams = new Map<number, Buffer>();
  for (const [{ kind, at }, edit] of edits) {
    if (kind === "file") {
      files.set(at, edit);
      continue;
    }
    if (edit.data !== undefined) streams.set(ResultField[kind].data, edit.data);
    if (edit.digest !== undefined) streams.set(ResultField[kind].digest, encodeDigest(edit.digest));
  }
  return rewriteMessage(
    new Walker(result),
    (field, out) => {
      if (field.wireType !== WireType.LEN) return "keep";
      const edit = field.number === ResultField.files ? files.get(field.fieldStart) : undefined;
      if (edit === undefined) return streams.has(field.number) ? "drop" : "keep";
      const fields = new Map<number, Buffer>();
      if (edit.data !== undefined) fields.set(FileField.data, edit.data);
      if (edit.digest !== undefined) fields.set(FileField.digest, encodeDigest(edit.digest));
      return rewriteField(
        field,
        out,
        ({ number, wireType }) => (wireType === WireType.LEN && fields.has(number) ? "drop" : "keep"),
        (file) => {
          for (const [number, value] of fields) if (value.length > 0) file.bytes(number, value);
        },
      );
    },
    (out) => {
      for (const [number, value] of streams) if (value.length > 0) out.bytes(number, value);
    },
  );
}

function noDigest(): Digest | null {
  return null;
}

function fileIn(file: Walker, at: number): Output {
  let path = "";
  let digest = noDigest();
  let data: Buffer = EMPTY;
  while (file.next()) {
    if (file.wireType !== WireType.LEN) continue;
    if (file.number === FileField.path) path = file.text();
    else if (file.number === FileField.digest) digest = digestIn(file);
    else if (file.number === FileField.data) data = file.bytes();
  }
  return { kind: "file", path, digest, data, at };
}

/** A digest without a hash names nothing. */
function digestIn(field: Walker): Digest | null {
  const digest = readDigest(field.enter());
  return digest.hash === "" ? null : digest;
}
