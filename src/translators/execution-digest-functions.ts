import { knows } from "../spec/ledger.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { assumed, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { Announcement, Edit, Translator } from "./translator.ts";

/** Field numbers: ServerCapabilities, and ExecutionCapabilities in it. */
const EXECUTION = 2;
const ONE = 1;
const SEVERAL = 5;

/** What clients from before the list use, unless something else is known of them. */
const SHA256 = 1;

const LIST = "build.bazel.remote.execution.v2.ExecutionCapabilities.digest_functions";

/** Clients announce nothing, so that servers read whatever they might. */
const SERVER = { reads: ["several", "one"] };

const OLD = pass("without the list, every client goes by the single function");

/**
 * The digest functions for execution (D10): one, or since 2.7 a list beside it. A client that reads the one stops if it is not its own; newer clients
 * look at the list first, so the one can be what older clients use, if the list has it.
 */
export const executionDigestFunctions: Translator = {
  feature: {
    id: "execution-digest-functions",
    title: "Several digest functions for execution",
    since: "2.7",
    drift: ["D10"],
    why: "An older client reads one function only, and stops if the server puts another there than its own.",
    forms: { one: "one function is announced", several: "a list of functions beside the one" },
  },
  owns: of("ExecutionCapabilities", "digest_function", "digest_functions"),
  after: [],
  clientAhead: "passes: without the list, clients go by the single function",
  serverAhead: "the single function becomes the one the client uses, if the list has it",
  support: ({ role, level }) => {
    if (level === null) return null;
    const newer = knows(level.value, LIST);
    if (role === "server")
      return { ...SERVER, writes: [newer ? "several" : "one"], evidence: level.evidence };
    return { reads: newer ? ["several", "one"] : ["one"], writes: ["one"], evidence: level.evidence };
  },
  assume: { client: assumed(["one"], ["one"]), server: assumed(SERVER.reads, ["one"]) },
  toServer: pass("clients announce nothing of the kind"),
  toClient: { one: { several: OLD }, several: { one: { kind: "translate" } } },
  announce,
};

function announce({ bytes, pair: { client } }: Announcement): Edit {
  const wanted = client.digestFunctions[0] ?? SHA256;
  return rewriteMessage(new Walker(bytes), (field, out) => {
    if (field.number !== EXECUTION || field.wireType !== WireType.LEN) return "keep";
    const { one, several } = functionsOf(field.enter());
    if (one === wanted || !several.includes(wanted)) return "keep";
    return rewriteField(
      field,
      out,
      ({ number, wireType }) => (number === ONE && wireType === WireType.VARINT ? "drop" : "keep"),
      (execution) => execution.varint(ONE, wanted),
    );
  });
}

function functionsOf(execution: Walker): { one: number; several: number[] } {
  let one = 0;
  const several: number[] = [];
  while (execution.next()) {
    const { number, wireType } = execution;
    if (number === ONE && wireType === WireType.VARINT) one = execution.int32();
    else if (number === SEVERAL && wireType === WireType.VARINT) several.push(execution.int32());
    else if (number === SEVERAL && wireType === WireType.LEN) several.push(...packed(execution.bytes()));
  }
  return { one, several };
}

/** The numbers of a packed list. Every value of the enum is a single byte; longer ones are of no known function. */
function packed(bytes: Buffer): number[] {
  return [...bytes].filter((byte, index) => byte < 0x80 && (index === 0 || bytes[index - 1]! < 0x80));
}
