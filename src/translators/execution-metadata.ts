import type { PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { isPacked } from "../wire/any.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";
import { assumed, pass } from "./declare.ts";
import { EXECUTE, GET_ACTION_RESULT, GET_OPERATION, WAIT_EXECUTION, WAIT_OPERATION } from "./methods.ts";
import { of } from "./names.ts";
import { withMessageInStatus } from "./response-message.ts";
import type { Edit, MethodHooks, Translate, Translator } from "./translator.ts";

const V2 = "build.bazel.remote.execution.v2";
const AUXILIARY = `${V2}.ExecutedActionMetadata.auxiliary_metadata` as const;
const PARTIAL = `${V2}.ExecuteOperationMetadata.partial_execution_metadata` as const;
const TYPE = `${V2}.ExecuteOperationMetadata`;

/** Field numbers: Operation.metadata, the value of that Any, and what drafts had as text where 2.6 has partial_execution_metadata. */
const METADATA = 2;
const VALUE = 2;
const PARTIAL_NUMBER = 5;
/** The fields of ExecutedActionMetadata up to 2.12, all of them strings or messages. */
const LAST_FIELD = 12;

/** What the draft of interleaved output (P22) has in ActionResult, and in GetActionResultRequest where 2.5 has the digest function. */
const INTERLEAVED_IN_RESULT: readonly number[] = [13, 14];
const INTERLEAVED_WISH = 6;

const SHOWN = pass("they are shown to people; no result depends on them");

const TEXT: Translate = { kind: "translate", methods: ofOperations(withoutText) };
const MESSAGE: Translate = {
  kind: "translate",
  methods: ofOperations(withMessageInStatus),
  optIn: "the message is for people, and the status has one of its own",
};
const OUTPUT: Translate = {
  kind: "translate",
  methods: ofOperations(withoutText),
  content: { result: withoutInterleaved },
};
const WISH: Translate = { kind: "translate", methods: { [GET_ACTION_RESULT]: { request: withoutWish } } };

/**
 * What is told of an execution besides its result (D47, D49). A reader skips what it does not know. Only drafts break somebody, where they gave numbers
 * another meaning: a text under the number of partial_execution_metadata (P19, P22), which clients since 2.6 cannot decode, and a wish under that of the
 * digest function (P22). Where a profile says so of a peer they are dropped, with all else of that draft.
 */
export const executionMetadata: Translator = {
  feature: {
    id: "execution-metadata",
    title: "Facts about an execution",
    since: "2.3",
    drift: ["D47", "D49", "P09", "P19", "P22"],
    why: "Newer servers tell more than older clients read, and those of drafts what newer clients cannot decode.",
    forms: {
      bare: "worker and times, from before ExecuteResponse.message",
      few: "worker and times",
      more: "also auxiliary and partial metadata",
      uuid: "a text where 2.6 has the partial metadata",
      interleaved: "the same, and output of both streams in one, of a draft",
    },
  },
  owns: [
    "behaviour:cancelled-on-request",
    ...of("ExecutedActionMetadata", "auxiliary_metadata"),
    ...of("ExecuteOperationMetadata", "partial_execution_metadata"),
    ...of("ExecuteResponse", "message"),
  ],
  after: [],
  clientAhead: "passes; what a draft has in place of the digest function is dropped",
  serverAhead:
    "passes; what drafts have in place of the partial metadata is dropped, and where the policy says so a failure says what ExecuteResponse.message does",
  support,
  assume: {
    client: assumed(["more", "few", "bare"], ["few"]),
    server: assumed(["more", "few", "bare", "uuid"], ["few"]),
  },
  toServer: {
    bare: { few: SHOWN, more: SHOWN, uuid: SHOWN, interleaved: SHOWN },
    few: { bare: SHOWN, more: SHOWN, uuid: SHOWN, interleaved: SHOWN },
    more: { bare: SHOWN, few: SHOWN, uuid: SHOWN, interleaved: SHOWN },
    uuid: { bare: SHOWN, few: SHOWN, more: SHOWN, interleaved: SHOWN },
    interleaved: { bare: WISH, few: WISH, more: WISH, uuid: WISH },
  },
  toClient: {
    bare: { few: SHOWN, more: SHOWN, uuid: SHOWN, interleaved: SHOWN },
    few: { bare: MESSAGE, more: SHOWN, uuid: SHOWN, interleaved: SHOWN },
    more: { bare: MESSAGE, few: SHOWN, uuid: SHOWN, interleaved: SHOWN },
    uuid: { bare: MESSAGE, few: TEXT, more: TEXT, interleaved: SHOWN },
    interleaved: { bare: OUTPUT, few: OUTPUT, more: OUTPUT, uuid: OUTPUT },
  },
};

/** Clients from before 2.6 skip the number, whatever is under it. */
function support({ role, level }: PeerFacts): Support | null {
  if (level === null) return null;
  const { value, evidence } = level;
  const forms = knows(value, AUXILIARY) ? ["more", "few", "bare"] : ["few", "bare"];
  if (role === "server") return { reads: [...forms, "uuid"], writes: [forms[0]!], evidence };
  return { reads: knows(value, PARTIAL) ? forms : [...forms, "uuid"], writes: [forms[0]!], evidence };
}

function ofOperations(response: NonNullable<MethodHooks["response"]>): Record<string, MethodHooks> {
  const paths = [EXECUTE, WAIT_EXECUTION, GET_OPERATION, WAIT_OPERATION];
  return Object.fromEntries(paths.map((path) => [path, { response }]));
}

/** A GetActionResultRequest without the wish for interleaved output. Another number than that of `true` is a digest function after all. */
function withoutWish(request: Buffer): Edit {
  return rewriteMessage(new Walker(request), (field) =>
    field.number === INTERLEAVED_WISH && field.wireType === WireType.VARINT && field.uint64() === 1n
      ? "drop"
      : "keep",
  );
}

function withoutInterleaved(result: Buffer): Edit {
  return rewriteMessage(new Walker(result), ({ number }) =>
    INTERLEAVED_IN_RESULT.includes(number) ? "drop" : "keep",
  );
}

/** An Operation whose metadata have nothing under the number that a client cannot decode. */
function withoutText(operation: Buffer): Edit {
  return rewriteMessage(new Walker(operation), (field, out) => {
    if (field.number !== METADATA || field.wireType !== WireType.LEN || !isPacked(field.enter(), TYPE))
      return "keep";
    return rewriteField(field, out, (part, any) => {
      if (part.number !== VALUE || part.wireType !== WireType.LEN) return "keep";
      return rewriteField(part, any, (value) =>
        value.number === PARTIAL_NUMBER && value.wireType === WireType.LEN && !isMetadata(value.enter())
          ? "drop"
          : "keep",
      );
    });
  });
}

/** Whether the payload can be an `ExecutedActionMetadata`. No UUID can: it would be cut off, or of the wrong types. */
function isMetadata(payload: Walker): boolean {
  try {
    while (payload.next())
      if (payload.number <= LAST_FIELD && payload.wireType !== WireType.LEN) return false;
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}
