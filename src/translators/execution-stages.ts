import { isPacked } from "../wire/any.ts";
import type { FieldWriter } from "../wire/field-writer.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker as Fields, type Walker, WireType } from "../wire/walker.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { EXECUTE, WAIT_EXECUTION } from "./methods.ts";
import { of } from "./names.ts";
import type { Step, Translator } from "./translator.ts";

const SHOWN = "stages are shown to people; the end of an operation is what counts";
const TYPE = "build.bazel.remote.execution.v2.ExecuteOperationMetadata";

/** Field numbers: Operation.metadata, the value of that Any, ExecuteOperationMetadata.stage. */
const METADATA = 2;
const VALUE = 2;
const STAGE = 1;

/** Stages only go forward in what the client sees. */
const FORWARD: Step = {
  kind: "translate",
  methods: Object.fromEntries(
    [EXECUTE, WAIT_EXECUTION].map((path) => [path, { stream: { response: onlyForward } }]),
  ),
  optIn: SHOWN,
};

/**
 * Stages of an execution (D45, P13): since 2.3 an action may run more than once, and its stage go back. On demand, a client that takes stages to go
 * forward sees the furthest one that its stream had. A stream that ends before its operation is followed by another call, wherever operations are looked at.
 */
export const executionStages: Translator = {
  feature: {
    id: "execution-stages",
    title: "Stages of an execution",
    since: "2.3",
    drift: ["D45", "P13"],
    why: "An action may run again, and its stage go back.",
    forms: { forward: "stages go forward", any: "stages may go back" },
  },
  owns: [
    "behaviour:at-least-once",
    "behaviour:stages-go-back",
    ...of("ExecuteOperationMetadata", "stage"),
    ...of("ExecutionStage.Value", "UNKNOWN", "CACHE_CHECK", "QUEUED", "EXECUTING", "COMPLETED"),
  ],
  after: [],
  clientAhead: `passes: ${SHOWN}`,
  serverAhead: "passes; on demand no stage is told that lies before one that was told",
  support: byLevel({
    element: "behaviour:stages-go-back",
    without: { reads: ["forward"], writes: ["forward"] },
    with: { reads: ["any", "forward"], writes: ["any"] },
  }),
  assume: {
    client: assumed(["any", "forward"], ["any"]),
    server: assumed(["forward"], ["forward"]),
  },
  toServer: pass("a client tells of no stages"),
  toClient: { forward: { any: pass(SHOWN) }, any: { forward: FORWARD } },
};

/** The operations of a stream, none with an earlier stage than one before. */
async function* onlyForward(messages: AsyncIterable<Buffer>): AsyncGenerator<readonly Buffer[]> {
  let furthest = 0;
  const visit = (field: Walker, out: FieldWriter): "keep" | "drop" => {
    if (field.number !== STAGE || field.wireType !== WireType.VARINT) return "keep";
    const stage = field.int32();
    if (stage >= furthest) {
      furthest = stage;
      return "keep";
    }
    out.varint(STAGE, furthest);
    return "drop";
  };
  for await (const message of messages) {
    const edited = rewriteMessage(new Fields(message), (field, out) => {
      if (field.number !== METADATA || field.wireType !== WireType.LEN || !isPacked(field.enter(), TYPE))
        return "keep";
      return rewriteField(field, out, (part, any) =>
        part.number === VALUE && part.wireType === WireType.LEN ? rewriteField(part, any, visit) : "keep",
      );
    });
    yield edited ?? [message];
  }
}
