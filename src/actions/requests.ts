/** Requests about actions, with another action in place of the client's. */
import type { ActionMessages } from "../translators/translator.ts";
import { type Digest, encodeDigest } from "../wire/digest.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { joined, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { Prepared } from "./prepare.ts";

/** Sends a request to the method that was called; the responses. */
export type Forward = (request: Buffer) => AsyncIterable<Buffer>;

/** The name that the upstream has for an output which a request wants inlined; `given` is what each step got of the client's messages. */
export type OutputName = (path: string, given: readonly ActionMessages[]) => string;

/** Field numbers of ExecuteRequest. */
export const ExecuteField = {
  skipCacheLookup: 3,
  action: 6,
  executionPolicy: 7,
  resultsPolicy: 8,
  digestFunction: 9,
  inlineStdout: 10,
  inlineStderr: 11,
  inlined: 12,
} as const;

/** Field numbers of GetActionResultRequest. */
export const LookUpField = {
  action: 2,
  inlineStdout: 3,
  inlineStderr: 4,
  inlined: 5,
  digestFunction: 6,
  unlessChanged: 1001,
} as const;

/** The request for what runs in place of the client's Action; all else is as the client wants it. */
export function withMapped(
  request: Buffer,
  fields: { readonly action: number; readonly inlined: number },
  { mapped, given }: Prepared,
  outputName: OutputName,
): Buffer {
  const slices = rewriteMessage(
    new Walker(request),
    (field, out) => {
      if (field.wireType !== WireType.LEN) return "keep";
      if (field.number === fields.action) return "drop";
      if (field.number !== fields.inlined) return "keep";
      const before = field.text();
      const after = outputName(before, given);
      if (after === before) return "keep";
      out.text(fields.inlined, after);
      return "drop";
    },
    (out) => out.bytes(fields.action, encodeDigest(mapped)),
  );
  return joined(slices, request);
}

/** A `GetActionResultRequest`; the port adds instance and digest function. */
export function lookUpRequest(action: Digest): Buffer {
  const out = new FieldWriter();
  out.bytes(LookUpField.action, encodeDigest(action));
  return out.toBuffer();
}

/** What an execution was asked for besides its action. */
interface Wanted {
  readonly digestFunction: number;
  readonly executionPolicy?: Buffer | undefined;
  readonly resultsPolicy?: Buffer | undefined;
}

/** An `ExecuteRequest` that takes a cached result as well; the port adds the instance. */
export function executeRequest(
  action: Digest,
  { digestFunction, executionPolicy, resultsPolicy }: Wanted,
): Buffer {
  const out = new FieldWriter();
  out.bytes(ExecuteField.action, encodeDigest(action));
  if (executionPolicy !== undefined) out.bytes(ExecuteField.executionPolicy, executionPolicy);
  if (resultsPolicy !== undefined) out.bytes(ExecuteField.resultsPolicy, resultsPolicy);
  if (digestFunction !== 0) out.varint(ExecuteField.digestFunction, digestFunction);
  return out.toBuffer();
}
