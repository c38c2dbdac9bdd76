/** The operation of an action whose result was found before anything ran. */
import { type Digest, encodeDigest } from "../wire/digest.ts";
import { FieldWriter } from "../wire/field-writer.ts";

const PREFIX = "type.googleapis.com/build.bazel.remote.execution.v2";
/** ExecutionStage.COMPLETED. */
const COMPLETED = 4;

/** A finished `Operation` with a result from the cache, in the client's terms. */
export function cachedOperation(name: string, action: Digest, result: Buffer): Buffer {
  const metadata = new FieldWriter();
  metadata.varint(1, COMPLETED);
  metadata.bytes(2, encodeDigest(action));
  const response = new FieldWriter();
  response.bytes(1, result);
  response.varint(2, true);
  const operation = new FieldWriter();
  operation.text(1, name);
  operation.message(2, any("ExecuteOperationMetadata", metadata));
  operation.varint(3, true);
  operation.message(5, any("ExecuteResponse", response));
  return operation.toBuffer();
}

function any(type: string, value: FieldWriter): readonly Buffer[] {
  const out = new FieldWriter();
  out.text(1, `${PREFIX}.${type}`);
  out.message(2, value.finish());
  return out.finish();
}
