/** An operation of the upstream's in the client's terms (R3). */
import type { ActionMessages, Edit } from "../translators/translator.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Digest, encodeDigest, formatDigest, readDigest } from "../wire/digest.ts";
import type { FieldWriter } from "../wire/field-writer.ts";
import { bytesIn, numberIn } from "../wire/fields.ts";
import { type OperationTag, tagOperation } from "../wire/operation-name.ts";
import { joined, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { type ClientSubjects, statusForClient } from "./missing-subjects.ts";
import { editAny, editField } from "./nested-edit.ts";
import type { ResultHooks } from "./result-hooks.ts";
import type { Scope } from "./scope.ts";
import { statusOf } from "./status-of.ts";

const METADATA_TYPE = "build.bazel.remote.execution.v2.ExecuteOperationMetadata";
const RESPONSE_TYPE = "build.bazel.remote.execution.v2.ExecuteResponse";

/** Field numbers of Operation, ExecuteOperationMetadata and ExecuteResponse. */
const OperationField = { name: 1, metadata: 2, done: 3, error: 4, response: 5 } as const;
const MetadataField = { action: 2 } as const;
const EXIT_CODE = 4;
const ResponseField = { result: 1, status: 3 } as const;

/** What is known of the action that an operation runs. */
export interface RunningAction {
  readonly scope: Scope;
  /** What its name carries for the client; null to leave names as they are. */
  readonly tag: OperationTag | null;
  /** The client's Action, and what runs in its place; null where nobody knows, or they are the same. */
  readonly replaced: { readonly client: Digest; readonly mapped: Digest } | null;
  /** Whether the operation is known to run that, even if the upstream does not say what it runs. */
  readonly trusted: boolean;
  /** How failures are to name blobs. */
  readonly subjects: ClientSubjects;
  readonly given: () => Promise<readonly ActionMessages[] | null>;
  /** A failure of the execution as the client is to see it. */
  readonly failure: (error: unknown) => Promise<unknown>;
  /** Takes note of an operation as the client gets it. */
  readonly told: (operation: Buffer) => Promise<void>;
  /** The error for an operation that runs another action. */
  readonly another: () => Error;
}

/**
 * The operation as the client sees it; the very buffer where nothing changes. A result that cannot be given the client's form becomes the status of the
 * response: an operation that has begun does not fail otherwise (R6).
 * @throws what `another` makes, for an operation of another action; WireError for bytes that are none.
 */
export async function operationForClient(
  operation: Buffer,
  action: RunningAction,
  hooks: ResultHooks,
): Promise<Buffer> {
  const steps: ((message: Buffer) => Edit | Promise<Edit>)[] = [
    (message) => withTag(message, action.tag),
    (message) =>
      editField(message, OperationField.metadata, (any) =>
        editAny(any, METADATA_TYPE, (metadata) => withClientAction(metadata, action)),
      ),
    (message) =>
      editField(message, OperationField.response, (any) =>
        editAny(any, RESPONSE_TYPE, (response) => responseForClient(response, action, hooks)),
      ),
    (message) =>
      editField(message, OperationField.error, (status) => statusForClient(status, action.subjects)),
  ];
  let current = operation;
  for (const step of steps) current = joined(await step(current), current);
  return current;
}

function withTag(operation: Buffer, tag: OperationTag | null): Edit {
  if (tag === null) return null;
  return rewriteMessage(new Walker(operation), (field, out) => {
    if (field.number !== OperationField.name || field.wireType !== WireType.LEN) return "keep";
    out.text(OperationField.name, tagOperation(field.text(), tag));
    return "drop";
  });
}

function withClientAction(metadata: Buffer, { replaced, trusted, another }: RunningAction): Edit {
  if (replaced === null) return null;
  return editDigest(metadata, MetadataField.action, (digest) => {
    // Some servers leave the digest out.
    if (digest.hash === "" && trusted) return null;
    if (formatDigest(digest) !== formatDigest(replaced.mapped)) throw another();
    return replaced.client;
  });
}

function editDigest(message: Buffer, number: number, edit: (digest: Digest) => Digest | null): Edit {
  return rewriteMessage(new Walker(message), (field, out) => {
    if (field.number !== number || field.wireType !== WireType.LEN) return "keep";
    const after = edit(readDigest(field.enter()));
    if (after === null) return "keep";
    out.bytes(number, encodeDigest(after));
    return "drop";
  });
}

async function responseForClient(response: Buffer, action: RunningAction, hooks: ResultHooks): Promise<Edit> {
  const { scope, given } = action;
  const status = await editField(response, ResponseField.status, (bytes) => failureForClient(bytes, action));
  const current = joined(status, response);
  try {
    const source = { scope, given, foreign: false };
    const edited = await editField(current, ResponseField.result, (result) => hooks.edit(result, source));
    return edited ?? status;
  } catch (error) {
    return failed(current, statusOf(error));
  }
}

/** The status of a failure as the client is to see it; its very bytes, as far as nothing has to be added. */
async function failureForClient(status: Buffer, { subjects, failure }: RunningAction): Promise<Edit> {
  const named = statusForClient(status, subjects);
  const told = UpstreamError.ofMessage(joined(named, status));
  const better = told === null ? told : await failure(told);
  return better === told ? named : [statusOf(better)];
}

/** A response with this status in place of its result. */
function failed(response: Buffer, status: Buffer): Edit {
  return rewriteMessage(
    new Walker(response),
    ({ number }) => (number === ResponseField.result || number === ResponseField.status ? "drop" : "keep"),
    (out) => out.bytes(ResponseField.status, status),
  );
}

/** How an operation that is over ended; null for one that is not, or that tells nothing the bridge knows. */
export async function endOf(operation: Buffer): Promise<UpstreamError | "ok" | null> {
  let done = false;
  const field = new Walker(operation);
  while (field.next())
    if (field.number === OperationField.done && field.wireType === WireType.VARINT) done = field.bool();
  if (!done) return null;
  let failure: UpstreamError | null = null;
  const look = (status: Buffer): null => {
    failure = UpstreamError.ofMessage(status);
    return null;
  };
  await editField(operation, OperationField.error, look);
  await editField(operation, OperationField.response, (any) =>
    editAny(any, RESPONSE_TYPE, (response) => editField(response, ResponseField.status, look)),
  );
  return failure ?? "ok";
}

/** The result of an operation that ended well, with exit code 0; null for all others. */
export async function goodResult(operation: Buffer): Promise<Buffer | null> {
  if ((await endOf(operation)) !== "ok") return null;
  let result: Buffer | null = null;
  await editField(operation, OperationField.response, (any) =>
    editAny(any, RESPONSE_TYPE, (response) => {
      result = bytesIn(response, ResponseField.result);
      return null;
    }),
  );
  return result === null || numberIn(result, EXIT_CODE) !== 0 ? null : result;
}

/** The name of an operation. */
export function nameOf(message: Buffer): string {
  let name = "";
  const field = new Walker(message);
  while (field.next())
    if (field.number === OperationField.name && field.wireType === WireType.LEN) name = field.text();
  return name;
}

/** A request about an operation with another name. */
export function withName(request: Buffer, name: string): Buffer {
  const slices = rewriteMessage(
    new Walker(request),
    ({ number }) => (number === OperationField.name ? "drop" : "keep"),
    (out: FieldWriter) => out.text(OperationField.name, name),
  );
  return joined(slices, request);
}
