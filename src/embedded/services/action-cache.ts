/** The service ActionCache: results of actions (D23, D51, D52). */
import { codec } from "../../spec/codec.ts";
import { knows } from "../../spec/ledger.ts";
import { formatDigest } from "../../wire/digest.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";
import type { DigestMessage } from "../digests.ts";
import { missing } from "../execution/failure.ts";
import type { Methods, V2 } from "../rpc/methods.ts";
import type { BlobDigest } from "../store/blob-store.ts";
import { isComplete } from "./completeness.ts";
import { inlineContents } from "./inline.ts";
import type { ServiceParts } from "./service-parts.ts";

const SERVICE = "/build.bazel.remote.execution.v2.ActionCache";
const ACTION = "build.bazel.remote.execution.v2.Action";
const ACTION_RESULT = "build.bazel.remote.execution.v2.ActionResult";

/** Registers the service. */
export function registerActionCache(methods: Methods, parts: ServiceParts): void {
  methods.unary<V2<"GetActionResultRequest">, V2<"ActionResult">>(`${SERVICE}/GetActionResult`, (request) =>
    getResult(parts, request),
  );
  methods.unary<V2<"UpdateActionResultRequest">, V2<"ActionResult">>(
    `${SERVICE}/UpdateActionResult`,
    (request) => updateResult(parts, request),
  );
}

async function getResult(parts: ServiceParts, request: V2<"GetActionResultRequest">): Promise<Buffer> {
  const { digests, actionCache } = parts;
  const { level, outputs } = parts.behaviour;
  const action = digests.read(request.actionDigest, request.digestFunction, "action_digest");
  const bytes = await actionCache.get(request.instanceName, action);
  if (bytes === null) throw miss(action, "no result is stored");
  const result = codec(level).decode(ACTION_RESULT, bytes);
  if (parts.behaviour.checksHits && !(await isComplete(parts, result, action.digestFunction))) {
    throw miss(action, "the stored result refers to blobs that are gone");
  }
  const asked = request.inlineStdout || request.inlineStderr || request.inlineOutputFiles.length > 0;
  if (!asked || outputs.inlineBytes === 0) return bytes;
  await inlineContents(parts, result, request, action.digestFunction);
  return codec(level).encode(ACTION_RESULT, result);
}

async function updateResult(
  { behaviour, digests, store, actionCache }: ServiceParts,
  request: V2<"UpdateActionResultRequest">,
): Promise<Buffer> {
  const action = digests.read(request.actionDigest, request.digestFunction, "action_digest");
  const { actionResult } = request;
  if (actionResult === null) throw new CallError(Status.INVALID_ARGUMENT, "action_result is missing");
  for (const [field, digest] of references(actionResult)) {
    digests.read(digest, action.digestFunction.number, `action_result.${field}`);
  }
  const { level, updateRefusal, emptyResults } = behaviour;
  if (updateRefusal !== null && updateRefusal !== Status.OK) {
    throw new CallError(updateRefusal, "results are written by the workers only, not by clients");
  }
  if (knows(level, "behaviour:update-checks")) await requireAction();
  if (emptyResults === "named") actionResult.executionMetadata = named(actionResult.executionMetadata);
  const bytes = codec(level).encode(ACTION_RESULT, actionResult);
  if (bytes.length === 0 && emptyResults === "refused") {
    throw new CallError(Status.INTERNAL, "an empty result counts as broken here");
  }
  if (updateRefusal === null) await actionCache.put(request.instanceName, action, bytes);
  return bytes;

  async function requireAction(): Promise<void> {
    const stored = await store.get(action);
    if (stored === null) throw lacks(action);
    const { commandDigest } = codec(level).decode(ACTION, stored);
    const command = digests.read(commandDigest, action.digestFunction.number, "Action.command_digest");
    if (!(await store.has(command))) throw lacks(command);
  }
}

/** Execution metadata that names a worker, so that the result is not empty (D52). */
function named(metadata: V2<"ExecutedActionMetadata"> | null): V2<"ExecutedActionMetadata"> {
  const whole = metadata ?? codec().create("build.bazel.remote.execution.v2.ExecutedActionMetadata");
  if (whole.worker === "") whole.worker = "unknown";
  return whole;
}

function miss(action: BlobDigest, why: string): CallError {
  return new CallError(Status.NOT_FOUND, `action ${formatDigest(action)}: ${why}`);
}

/** The digests in a result, with the fields they are in. */
function* references(result: V2<"ActionResult">): Iterable<[field: string, digest: DigestMessage | null]> {
  for (const { digest } of result.outputFiles) yield ["output_files.digest", digest];
  if (result.stdoutDigest !== null) yield ["stdout_digest", result.stdoutDigest];
  if (result.stderrDigest !== null) yield ["stderr_digest", result.stderrDigest];
  for (const { treeDigest, rootDirectoryDigest } of result.outputDirectories) {
    if (rootDirectoryDigest === null || treeDigest !== null)
      yield ["output_directories.tree_digest", treeDigest];
    if (rootDirectoryDigest !== null) yield ["output_directories.root_directory_digest", rootDirectoryDigest];
  }
}

function lacks(blob: BlobDigest): CallError {
  const { details } = missing([blob]);
  const message = `the Action and its Command must be stored before a result; ${formatDigest(blob)} is not`;
  return new CallError(Status.FAILED_PRECONDITION, message, details);
}
