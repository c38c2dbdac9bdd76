/** What a plan makes of an Action and its Command before the upstream gets them: pure. */
import type {
  ActionEdit,
  ActionInputs,
  ActionMessages,
  ContentHooks,
  Edit,
  Originals,
  Pair,
} from "../translators/translator.ts";
import { joined } from "../wire/rewrite.ts";

/** The content hooks of one feature, which know their pair. */
export interface ActionStep {
  readonly action: ((given: ActionMessages, inputs: ActionInputs) => ActionEdit | null) | null;
  readonly directory: ((directory: Buffer) => Edit) | null;
  readonly result: ((result: Buffer, originals: Originals) => Edit | Promise<Edit>) | null;
  readonly nonce: ((given: ActionMessages) => boolean) | null;
  readonly outputName: ((path: string, given: ActionMessages) => string) | null;
}

/** The hooks with their pair. */
export function bindStep(hooks: ContentHooks, pair: Pair): ActionStep {
  const { action, directory, result, nonce, outputName } = hooks;
  return {
    action: action === undefined ? null : (given, inputs) => action(given, inputs, pair),
    directory: directory === undefined ? null : (bytes) => directory(bytes, pair),
    result: result === undefined ? null : (bytes, originals) => result(bytes, originals, pair),
    nonce: nonce === undefined ? null : (given) => nonce(given, pair),
    outputName: outputName === undefined ? null : (path, given) => outputName(path, given, pair),
  };
}

/** An Action and its Command after all steps; digests in the Action are still those of what the client sent. */
export interface Transformed extends ActionMessages {
  /** What each step was given, by its place among the steps. */
  readonly given: readonly ActionMessages[];
  /** Paths from the input root of directories that have to be there, each once. */
  readonly directories: readonly string[];
}

/**
 * Runs the steps in order. Whatever no step changes is the very buffer that was given.
 * @throws BridgeError of a step that refuses, WireError for messages that are none.
 */
export function transform(
  steps: readonly ActionStep[],
  messages: ActionMessages,
  inputs: ActionInputs,
): Transformed {
  const directories = new Set<string>();
  const given: ActionMessages[] = [];
  let current = messages;
  for (const step of steps) {
    given.push(current);
    const edit = step.action?.(current, inputs) ?? null;
    if (edit === null) continue;
    const { action = null, command = null } = edit;
    current = { action: joined(action, current.action), command: joined(command, current.command) };
    for (const path of edit.directories ?? []) directories.add(path);
  }
  return { ...current, given, directories: [...directories] };
}
