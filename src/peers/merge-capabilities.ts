/** One answer to GetCapabilities for an instance that several upstreams serve (D01). */
import { FieldWriter } from "../wire/field-writer.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { readAdvertised } from "./advertised.ts";

/** The `ServerCapabilities` of the upstreams that keep blobs, keep results and execute. */
export interface CapabilityParts {
  readonly store: Buffer;
  readonly results: Buffer;
  readonly execution: Buffer;
}

/** Field numbers: ServerCapabilities; CacheCapabilities; ExecutionCapabilities. */
const CACHE = 1;
const EXECUTION = 2;
const CACHE_FUNCTIONS = 1;
const UPDATES = 2;
const EXECUTION_FUNCTION = 1;
const EXECUTION_FUNCTIONS = 5;

/**
 * What the three are together: the store's cache part with the other's word on writing results, and the rest as who executes says it. Digest
 * functions are those that all of them have. Versions are left as who executes states them: the caller sees to it that they hold for all.
 * @throws RangeError that says why, if they have no digest function in common; WireError for broken bytes.
 */
export function mergeCapabilities({ store, results, execution }: CapabilityParts): Buffer {
  const shared = sharedFunctions([store, results, execution]);
  const cache = cachePart(store, results, shared);
  const merged = rewriteMessage(
    new Walker(execution),
    (field, out) => {
      if (field.number === CACHE) return "drop";
      if (field.number !== EXECUTION || field.wireType !== WireType.LEN) return "keep";
      return rewriteField(
        field,
        out,
        (value) => executes(value, shared),
        (part) => addExecution(part, execution, shared),
      );
    },
    (out) => out.message(CACHE, cache),
  );
  return merged === null ? execution : Buffer.concat(merged);
}

/** Functions of the store's list in its order that the others have as well; one that lists none has them all. */
function sharedFunctions(parts: readonly Buffer[]): number[] {
  const lists = parts.map((bytes, index) => {
    const { storeFunctions, executionFunctions } = readAdvertised(bytes);
    return index === 2 && executionFunctions.length > 0 ? executionFunctions : storeFunctions;
  });
  const stated = lists.filter((list) => list.length > 0);
  const [first = [], ...others] = stated;
  const shared = first.filter((number) => others.every((list) => list.includes(number)));
  if (stated.length > 0 && shared.length === 0)
    throw new RangeError("they have no digest function in common");
  return shared;
}

function cachePart(store: Buffer, results: Buffer, shared: readonly number[]): Buffer[] {
  const out = new FieldWriter();
  const copy = (bytes: Buffer, keep: (number: number) => boolean): void => {
    const field = new Walker(bytes);
    while (field.next()) {
      if (field.number !== CACHE || field.wireType !== WireType.LEN) continue;
      const value = field.enter();
      while (value.next()) if (keep(value.number)) out.copy(value);
    }
  };
  copy(store, (number) => number !== CACHE_FUNCTIONS && number !== UPDATES);
  copy(results, (number) => number === UPDATES);
  if (shared.length > 0) out.bytes(CACHE_FUNCTIONS, Buffer.from(shared));
  return out.finish();
}

function executes({ number }: Walker, shared: readonly number[]): "keep" | "drop" {
  const ofFunctions = number === EXECUTION_FUNCTION || number === EXECUTION_FUNCTIONS;
  return shared.length > 0 && ofFunctions ? "drop" : "keep";
}

/** The functions anew: the single one stays, if it is among them (D10). */
function addExecution(out: FieldWriter, execution: Buffer, shared: readonly number[]): void {
  if (shared.length === 0) return;
  const { executionFunctions, executionFunction } = readAdvertised(execution);
  const single = shared.includes(executionFunction) ? executionFunction : shared[0]!;
  out.varint(EXECUTION_FUNCTION, single);
  if (executionFunctions.length > 1) {
    out.bytes(
      EXECUTION_FUNCTIONS,
      Buffer.from(executionFunctions.filter((number) => shared.includes(number))),
    );
  }
}
