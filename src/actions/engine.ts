/** The engine of one plan: serves every call that is about an action, its result or its operation. */
import {
  CANCEL_OPERATION,
  DELETE_OPERATION,
  EXECUTE,
  GET_ACTION_RESULT,
  GET_OPERATION,
  UPDATE_ACTION_RESULT,
  WAIT_EXECUTION,
  WAIT_OPERATION,
} from "../translators/methods.ts";
import type { ActionMessages, Call, OperationManner } from "../translators/translator.ts";
import { ActionRuns } from "./action-runs.ts";
import { Aliases } from "./aliases.ts";
import { Execute } from "./execute.ts";
import { LookUps } from "./look-up.ts";
import type { Memory } from "./memory.ts";
import { NamedOperations } from "./named-operations.ts";
import { type ContentCheck, Preparer } from "./prepare.ts";
import type { Forward } from "./requests.ts";
import { ResultHooks } from "./result-hooks.ts";
import type { ActionStep } from "./transform.ts";

/** What an engine is made of. */
export interface EngineParts {
  /** The content hooks of the plan, in the order of the way to the server. */
  readonly steps: readonly ActionStep[];
  readonly checks: readonly ContentCheck[];
  readonly manner: OperationManner;
  /** Tells this plan from others. */
  readonly plan: string;
  readonly memory: Memory;
  /** Whether results are kept under keys of the bridge's own as well (K3). */
  readonly aliases: boolean;
}

/** Serves a call: yields the messages of its response. */
export type EngineCall = (request: Buffer, call: Call, forward: Forward) => AsyncIterable<Buffer>;

/** How each method is served where an engine is at work; methods without an entry are none of its business. */
export function engineCalls({
  steps,
  checks,
  manner,
  plan,
  memory,
  aliases: keeps,
}: EngineParts): ReadonlyMap<string, EngineCall> {
  const maps = steps.some(({ action, directory }) => action !== null || directory !== null);
  const results = steps.some(({ result }) => result !== null);
  const follows = Object.keys(manner).length > 0;
  const tags = maps || results || follows;
  const preparer = new Preparer(steps, checks, memory, plan);
  const hooks = new ResultHooks(steps, memory, plan);
  const outputName = (path: string, given: readonly ActionMessages[]): string =>
    steps.reduce((name, step, index) => step.outputName?.(name, given[index]!) ?? name, path);
  const aliases = keeps && maps ? new Aliases(plan) : null;
  const runs = new ActionRuns({
    aliases,
    preparer,
    hooks,
    manner,
    plan,
    prepares: maps || checks.length > 0,
    tags,
    outputName,
  });
  const execute = new Execute(runs);
  const operations = new NamedOperations(runs);
  const lookUps = new LookUps({ preparer, hooks, maps, aliases, outputName });
  const calls = new Map<string, EngineCall>();
  if (tags || checks.length > 0) calls.set(EXECUTE, (...args) => execute.run(...args));
  if (tags) {
    calls.set(WAIT_EXECUTION, (...args) => operations.wait(...args));
    for (const path of [GET_OPERATION, WAIT_OPERATION]) calls.set(path, (...args) => operations.get(...args));
    for (const path of [CANCEL_OPERATION, DELETE_OPERATION])
      calls.set(path, (...args) => operations.pass(...args));
  }
  if (maps || results) calls.set(GET_ACTION_RESULT, (...args) => lookUps.get(...args));
  if (results) calls.set(UPDATE_ACTION_RESULT, (...args) => lookUps.update(...args));
  return calls;
}

/** Every method that an engine may serve. */
export const OF_ENGINES: readonly string[] = [
  EXECUTE,
  WAIT_EXECUTION,
  GET_OPERATION,
  WAIT_OPERATION,
  CANCEL_OPERATION,
  DELETE_OPERATION,
  GET_ACTION_RESULT,
  UPDATE_ACTION_RESULT,
];
