/** The upstreams that together serve one instance, where there are several. */
import { mergeCapabilities } from "../../peers/merge-capabilities.ts";
import { GET_CAPABILITIES } from "../../translators/methods.ts";
import { rewriteMessage } from "../../wire/rewrite.ts";
import { Status } from "../../wire/status.ts";
import { Walker } from "../../wire/walker.ts";
import { CallError } from "../messages/call-error.ts";
import type { OpenedCall } from "../messages/opened-call.ts";
import { cannotMerge } from "./cannot-merge.ts";
import { type Named, NO_INSTANCE, type RouteRule, type RouteTable, renamed } from "./route-table.ts";
import type { ServerPeer } from "./server-peer.ts";

type Rule = RouteRule<ServerPeer>;

const V2 = "build.bazel.remote.execution.v2";

/** By what each of them does. */
export interface InstanceGroup {
  readonly store: Rule;
  readonly results: Rule;
  readonly execution: Rule;
}

/** The upstreams of an instance; of the first one where none is known, for nothing but routes without instances leads there then. */
export function groupOf(table: RouteTable<ServerPeer>, instance: Named): InstanceGroup {
  const rule = (service: string): Rule => table.find(`${V2}.${service}`, instance ?? NO_INSTANCE)!;
  return {
    store: rule("ContentAddressableStorage"),
    results: rule("ActionCache"),
    execution: rule("Execution"),
  };
}

/** The rules of a group, each once. */
export function rulesOf({ store, results, execution }: InstanceGroup): Rule[] {
  return [...new Set([execution, store, results])];
}

/** The upstreams of a group, as people know them. */
export function namesOf(group: InstanceGroup): string[] {
  return [...new Set(rulesOf(group).map(({ peer }) => peer.target.display))];
}

/** What is done with the answers of a group. */
export interface GroupEdits {
  /** Takes what each says, before anything is made of it. */
  heard(rule: Rule, capabilities: Buffer): void;
  /** What one of them said, as the client is to be told. */
  told(rule: Rule, capabilities: Buffer): Buffer;
}

/**
 * Answers GetCapabilities for an instance that several upstreams serve: each is asked, with the caller's credentials, and `edits` edit what
 * each says. One that does not answer fails the whole, with its name: half an answer would be wrong.
 */
export async function answerForGroup(
  opened: OpenedCall,
  request: Buffer,
  instance: string,
  group: InstanceGroup,
  edits: GroupEdits,
): Promise<Buffer> {
  const answers = new Map<Rule, Buffer>();
  await Promise.all(
    rulesOf(group).map(async (rule) => {
      const capabilities = await ask(opened, withInstance(request, renamed(rule, instance)), rule);
      answers.set(rule, capabilities);
    }),
  );
  // What is told of one depends on what all of them are now.
  for (const [rule, capabilities] of answers) edits.heard(rule, capabilities);
  const part = (rule: Rule): Buffer => edits.told(rule, answers.get(rule)!);
  try {
    return mergeCapabilities({
      store: part(group.store),
      results: part(group.results),
      execution: part(group.execution),
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw cannotMerge(namesOf(group), error.message);
  }
}

async function ask(opened: OpenedCall, request: Buffer, { peer }: Rule): Promise<Buffer> {
  const call = opened.call(GET_CAPABILITIES, undefined, peer.target);
  const { display } = peer.target;
  try {
    await call.write([request]);
    await call.end();
    for await (const message of call.messages()) return message;
    throw new CallError(
      Status.INTERNAL,
      `the upstream ${display} answered GetCapabilities without a message`,
    );
  } catch (error) {
    if (!(error instanceof CallError) || error.message.includes(display)) throw error;
    const text = `the upstream ${display} answered GetCapabilities with: ${error.message}`;
    throw new CallError(error.code, text, error.details, error.passedOn, error.metadata);
  } finally {
    call.cancel();
  }
}

function withInstance(request: Buffer, instance: string): Buffer {
  const slices = rewriteMessage(
    new Walker(request),
    ({ number }) => (number === 1 ? "drop" : "keep"),
    (out) => {
      if (instance !== "") out.text(1, instance);
    },
  );
  return slices === null ? request : Buffer.concat(slices);
}
