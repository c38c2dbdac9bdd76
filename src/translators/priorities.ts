import type { PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { type FieldVisitor, rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { assumed, pass } from "./declare.ts";
import { EXECUTE, UPDATE_ACTION_RESULT } from "./methods.ts";
import { of } from "./names.ts";
import type { Announcement, Edit, Pair, Step, Translator } from "./translator.ts";
import { UpdateField } from "./update-request.ts";

/** ExecuteRequest.execution_policy and results_cache_policy; `priority` is 1 in either. */
const POLICIES = { [EXECUTE]: [7, 8], [UPDATE_ACTION_RESULT]: [UpdateField.resultsCachePolicy] } as const;
const PRIORITY = 1;

/** The way to the ranges in ServerCapabilities: the parts about the store and about executions, the list in either, its members, and their bounds. */
const PARTS = [1, 2];
const PRIORITIES = 3;
const RANGES = 1;
const RangeField = { min: 1, max: 2 } as const;

const LEAST = -(2 ** 31);
const MOST = 2 ** 31 - 1;

const SOONER_OR_LATER = "an action runs sooner or later, a result is kept longer or shorter; neither changes";
const SAME = pass("lower numbers were the urgent ones since 2018, before it was said of the range");

/**
 * Priorities (D50): lower numbers are urgent. Some servers take the other end for the urgent one, or have no numbers below 0. Whoever uses them has
 * settings that work, so only the policy `require` has the bridge turn the numbers around, in requests and in what is announced, and keep them in the
 * range that the server's profile states.
 */
export const priorities: Translator = {
  feature: {
    id: "priorities",
    title: "Priorities",
    since: "2.2",
    drift: ["D50"],
    why: "Some servers take the other end of the range for the urgent one.",
    forms: {
      either: "which end is urgent is not said",
      lowest: "the lowest number is the most urgent",
      "not-negative": "the same, and no number is below 0",
      highest: "the highest number is the most urgent",
    },
  },
  owns: [
    "behaviour:lowest-is-urgent",
    ...of("ExecuteRequest", "execution_policy", "results_cache_policy"),
    ...of("UpdateActionResultRequest", "results_cache_policy"),
    ...of("ExecutionPolicy", "priority"),
    ...of("ResultsCachePolicy", "priority"),
    ...of("PriorityCapabilities", "priorities", "PriorityRange.min_priority", "PriorityRange.max_priority"),
    ...of("CacheCapabilities", "cache_priority_capabilities"),
    ...of("ExecutionCapabilities", "execution_priority_capabilities"),
  ],
  after: ["empty-blob"],
  clientAhead: "passes; where the policy says so, numbers are turned around or kept in the server's range",
  serverAhead: `passes: ${SOONER_OR_LATER}`,
  support,
  assume: {
    client: assumed(["lowest", "either"], ["lowest"]),
    server: assumed(["either", "lowest"], ["either"]),
  },
  toServer: {
    either: { lowest: SAME, "not-negative": editing(clamp), highest: editing(turn) },
    lowest: { either: SAME, "not-negative": editing(clamp), highest: editing(turn) },
    "not-negative": { either: SAME, lowest: SAME, highest: editing(turn) },
    highest: { either: editing(turn), lowest: editing(turn), "not-negative": editing(turn) },
  },
  toClient: pass("no response has a priority"),
  announce,
};

function support({ role, level, facts }: PeerFacts): Support | null {
  const stated = role === "server" ? (facts as PeerFacts<"server">["facts"])?.priorities : undefined;
  if (stated?.urgent === "highest" || stated?.are === "not-negative") {
    const form = stated.urgent === "highest" ? "highest" : "not-negative";
    const evidence = { source: "profile", note: `priorities: ${stated.evidence}` } as const;
    return { reads: [form], writes: [form], evidence };
  }
  if (level === null) return null;
  const forms = knows(level.value, "behaviour:lowest-is-urgent")
    ? ["lowest", "either"]
    : ["either", "lowest"];
  return { reads: forms, writes: [forms[0]!], evidence: level.evidence };
}

type PriorityEdit = (priority: number, pair: Pair) => number;

function editing(edit: PriorityEdit): Step {
  const methods = Object.entries(POLICIES).map(([path, numbers]) => [
    path,
    {
      request: (message: Buffer, _: unknown, pair: Pair) =>
        editPolicies(message, numbers, (n) => edit(n, pair)),
    },
  ]);
  return { kind: "translate", methods: Object.fromEntries(methods), optIn: SOONER_OR_LATER };
}

/** The number nearest to it in the server's range. */
function clamp(priority: number, { server }: Pair): number {
  const least = server.facts.priorities?.are === "not-negative" ? 0 : LEAST;
  return Math.min(Math.max(priority, least), MOST);
}

function turn(priority: number, pair: Pair): number {
  return clamp(negated(priority), pair);
}

/** 0 stays: it stands for the default. The lowest number has no counterpart and becomes the highest. */
function negated(priority: number): number {
  return priority === 0 ? 0 : Math.min(-priority, MOST);
}

function editPolicies(message: Buffer, numbers: readonly number[], edit: (priority: number) => number): Edit {
  const inPolicy: FieldVisitor = (field, out) => {
    if (field.number !== PRIORITY || field.wireType !== WireType.VARINT) return "keep";
    const before = field.int32();
    const after = edit(before);
    if (after === before) return "keep";
    if (after !== 0) out.varint(PRIORITY, after);
    return "drop";
  };
  return rewriteMessage(new Walker(message), inside(numbers, inPolicy));
}

/** Announced ranges, turned around where priorities are: what was the largest number is, with a minus, the least one. */
function announce({ bytes, client, server, required }: Announcement): Edit {
  const turned = server.reads.includes("highest") && !client.writes.includes("highest");
  if (!required || !turned) return null;
  return rewriteMessage(new Walker(bytes), inside(PARTS, inside([PRIORITIES], at([RANGES], turnRange))));
}

const turnRange: FieldVisitor = (range, out) => {
  const bounds = [0, 0, 0];
  const field = range.enter();
  while (field.next()) if (isBound(field)) bounds[field.number] = field.int32();
  const [, min = 0, max = 0] = bounds;
  return rewriteField(
    range,
    out,
    (field) => (isBound(field) ? "drop" : "keep"),
    (bound) => {
      if (max !== 0) bound.varint(RangeField.min, negated(max));
      if (min !== 0) bound.varint(RangeField.max, negated(min));
    },
  );
};

function isBound({ number, wireType }: Walker): boolean {
  return wireType === WireType.VARINT && (number === RangeField.min || number === RangeField.max);
}

/** Visits the messages in these fields, and leaves others. */
function at(numbers: readonly number[], visit: FieldVisitor): FieldVisitor {
  return (field, out) =>
    numbers.includes(field.number) && field.wireType === WireType.LEN ? visit(field, out) : "keep";
}

/** Visits the fields of the messages in these fields. */
function inside(numbers: readonly number[], visit: FieldVisitor): FieldVisitor {
  return at(numbers, (field, out) => rewriteField(field, out, visit));
}
