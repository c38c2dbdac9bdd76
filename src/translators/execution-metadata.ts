import type { PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";
import { assumed, pass } from "./declare.ts";
import { EXECUTE, GET_OPERATION, WAIT_EXECUTION, WAIT_OPERATION } from "./methods.ts";
import { of } from "./names.ts";
import type { Edit, Step, Translator } from "./translator.ts";

const V2 = "build.bazel.remote.execution.v2";
const AUXILIARY = `${V2}.ExecutedActionMetadata.auxiliary_metadata` as const;
const PARTIAL = `${V2}.ExecuteOperationMetadata.partial_execution_metadata` as const;
const TYPE = "/build.bazel.remote.execution.v2.ExecuteOperationMetadata";

/** Field numbers: Operation.metadata, the value of that Any, and what drafts had as text where 2.6 has partial_execution_metadata. */
const METADATA = 2;
const VALUE = 2;
const PARTIAL_NUMBER = 5;
/** The fields of ExecutedActionMetadata up to 2.12, all of them strings or messages. */
const LAST_FIELD = 12;

const SHOWN = pass("they are shown to people; no result depends on them");

/**
 * What is told of an execution besides its result (D47, D49). A reader skips what it does not know. Only drafts that put a text under the number of
 * partial_execution_metadata (P19, P22) break a client since 2.6, which cannot decode it: where a profile says so of the server, the text is dropped.
 */
export const executionMetadata: Translator = {
  feature: {
    id: "execution-metadata",
    title: "Facts about an execution",
    since: "2.3",
    drift: ["D47", "D49", "P09", "P19", "P22"],
    why: "Newer servers tell more than older clients read, and those of drafts what newer clients cannot decode.",
    forms: {
      few: "worker and times",
      more: "also auxiliary and partial metadata",
      uuid: "a text where 2.6 has the partial metadata",
    },
  },
  owns: [
    "behaviour:cancelled-on-request",
    ...of("ExecutedActionMetadata", "auxiliary_metadata"),
    ...of("ExecuteOperationMetadata", "partial_execution_metadata"),
    ...of("ExecuteResponse", "message"),
  ],
  after: [],
  clientAhead: "passes; a draft's text in place of the partial metadata is dropped",
  serverAhead: `passes: ${SHOWN.why}`,
  support,
  assume: { client: assumed(["more", "few"], ["few"]), server: assumed(["more", "few", "uuid"], ["few"]) },
  toServer: SHOWN,
  toClient: {
    few: { more: SHOWN, uuid: SHOWN },
    more: { few: SHOWN, uuid: SHOWN },
    uuid: { few: dropping(), more: dropping() },
  },
};

/** Clients from before 2.6 skip the number, whatever is under it. */
function support({ role, level }: PeerFacts): Support | null {
  if (level === null) return null;
  const { value, evidence } = level;
  const forms = knows(value, AUXILIARY) ? ["more", "few"] : ["few"];
  if (role === "server") return { reads: [...forms, "uuid"], writes: [forms[0]!], evidence };
  return { reads: knows(value, PARTIAL) ? forms : [...forms, "uuid"], writes: forms, evidence };
}

function dropping(): Step {
  const paths = [EXECUTE, WAIT_EXECUTION, GET_OPERATION, WAIT_OPERATION];
  return {
    kind: "translate",
    methods: Object.fromEntries(paths.map((path) => [path, { response: withoutText }])),
  };
}

/** An Operation whose metadata have nothing under the number that a client cannot decode. */
function withoutText(operation: Buffer): Edit {
  return rewriteMessage(new Walker(operation), (field, out) => {
    if (field.number !== METADATA || field.wireType !== WireType.LEN || !isOfExecution(field.enter()))
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

function isOfExecution(any: Walker): boolean {
  let typeUrl = "";
  while (any.next()) if (any.number === 1 && any.wireType === WireType.LEN) typeUrl = any.text();
  return typeUrl.endsWith(TYPE);
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
