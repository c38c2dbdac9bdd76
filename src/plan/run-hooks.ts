/** Runs the hooks of a plan over messages that are opened. */
import type { Call } from "../translators/translator.ts";
import { FieldScanner } from "../wire/field-scanner.ts";
import { joined, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { BoundHead, BoundHook, MethodPlan, Plan } from "./plan.ts";

/**
 * A message of a request as the upstream gets it: the very buffer given where no hook has anything to change. `first` says whether it
 * is the first of its call.
 * @throws BridgeError of a hook or scan that refuses, WireError for broken bytes.
 */
export async function editRequest(
  plan: MethodPlan,
  message: Buffer,
  call: Call,
  first = true,
): Promise<Buffer> {
  plan.uses?.look(message, 0, message.length);
  for (const makeScan of plan.scans) {
    const scan = makeScan();
    const scanner = new FieldScanner(scan);
    scanner.feed(message);
    scanner.finish();
    scan.complete();
  }
  let edited = message;
  if (first) for (const head of plan.heads) edited = rewriteField(edited, head);
  return runAll(plan.requests, edited, call);
}

/** A message of a response as the client gets it; like {@link editRequest}. */
export function editResponse(plan: MethodPlan, message: Buffer, call: Call): Promise<Buffer> {
  return runAll(plan.responses, message, call);
}

/** A `ServerCapabilities` as the client gets it, after all lenses of the plan. @throws WireError for broken bytes. */
export function announce(plan: Plan, capabilities: Buffer): Buffer {
  let current = capabilities;
  for (const lens of plan.lenses) current = joined(lens(current), current);
  return current;
}

/** A header of a call as it travels: its name in lower case, and its value, base64 where the name ends in `-bin`. */
type MetadataEntry = readonly [name: string, value: string];

/**
 * The headers of a call as the upstream gets them: the very list given where nothing changes. What replaces the values of a header stands where
 * the first of them stood.
 * @throws BridgeError of a rewriter that refuses the call.
 */
export function editMetadata(plan: Plan, entries: readonly MetadataEntry[]): readonly MetadataEntry[] {
  let current = entries;
  for (const { name, rewrite } of plan.metadata) {
    const values = current.flatMap(([key, value]) => (key === name ? [value] : []));
    const edited = values.length === 0 ? null : rewrite(values);
    if (edited === null) continue;
    const at = current.findIndex(([key]) => key === name);
    const before = current.slice(0, at);
    const after = current.slice(at).filter(([key]) => key !== name);
    current = [...before, ...edited.map((value): MetadataEntry => [name, value]), ...after];
  }
  return current;
}

async function runAll(hooks: readonly BoundHook[], message: Buffer, call: Call): Promise<Buffer> {
  let current = message;
  for (const hook of hooks) current = joined(await hook(current, call), current);
  return current;
}

function rewriteField(message: Buffer, { field: number, rewrite }: BoundHead): Buffer {
  let value: Buffer | null = null;
  const field = new Walker(message);
  while (field.next()) if (field.number === number && field.wireType === WireType.LEN) value = field.bytes();
  const result = rewrite(value);
  if (result === value) return message;
  const slices = rewriteMessage(
    new Walker(message),
    (current) => (current.number === number ? "drop" : "keep"),
    (out) => {
      if (result !== null) out.bytes(number, result);
    },
  );
  return joined(slices, message);
}
