/** Actions and Commands as a server sees them: what is to be run, checked and with all defaults settled. */
import { codec, MalformedMessageError, type MessageName } from "../../spec/codec.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { type Level, NEWEST } from "../../spec/versions.ts";
import type { Behaviour } from "../behaviour/behaviour.ts";
import { propertyNames } from "../behaviour/vocabulary.ts";
import { Digests } from "../digests.ts";
import type { BlobDigest } from "../store/blob-store.ts";
import { invalid } from "./failure.ts";
import { checkSorted, type OutputSpec, readOutputSpec } from "./output-spec.ts";
import { pathInRoot } from "./paths.ts";
import { checkPlatform } from "./platform.ts";
import { nanosecondsOf } from "./timestamps.ts";
import { checkFields } from "./unknown-fields.ts";

const ACTION = "build.bazel.remote.execution.v2.Action";
const COMMAND = "build.bazel.remote.execution.v2.Command";

type Action = Messages[typeof ACTION];
type Command = Messages[typeof COMMAND];

/** The longest time an action may run, also without a timeout of its own: a day. */
const MAX_TIMEOUT_MS = 24 * 3600 * 1000;

/** An Action that can be run once its Command is known. */
export interface ReadAction {
  readonly message: Action;
  readonly command: BlobDigest;
  readonly inputRoot: BlobDigest;
  readonly timeoutMs: number;
  readonly doNotCache: boolean;
}

/** What the Command of an Action says is to be done. */
export interface Task {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** From the input root, without `.` and `..`; "" is the root itself. */
  readonly workingDirectory: string;
  readonly outputs: OutputSpec;
  /** Names of the properties that outputs are to carry. */
  readonly outputProperties: readonly string[];
}

/** Reads an Action. @throws CallError INVALID_ARGUMENT for bytes, digests or timeouts that are none. */
export function readAction(bytes: Buffer, digest: BlobDigest, behaviour: Behaviour): ReadAction {
  const { from } = behaviour.actions.platform;
  if (behaviour.actions.strictFields)
    checkFields(ACTION, bytes, behaviour.level, from.includes("action") ? [10] : []);
  const message = decode(ACTION, bytes, behaviour.level);
  // A server may read the platform there before its level does, or not at all.
  message.platform = from.includes("action") ? decode(ACTION, bytes, NEWEST).platform : null;
  const digests = new Digests(behaviour.functions);
  const { number } = digest.digestFunction;
  return {
    message,
    command: digests.read(message.commandDigest, number, "command_digest"),
    inputRoot: digests.read(message.inputRootDigest, number, "input_root_digest"),
    timeoutMs: readTimeout(message.timeout),
    doNotCache: message.doNotCache,
  };
}

/**
 * Reads the Command of an Action.
 * @throws CallError INVALID_ARGUMENT for what the server forbids, FAILED_PRECONDITION for a platform that this machine is not.
 */
export function readTask(bytes: Buffer, { message: action }: ReadAction, behaviour: Behaviour): Task {
  const { actions, level } = behaviour;
  if (actions.strictFields) {
    const also = [...(actions.readsPaths ? [7] : []), ...(actions.readsDirectoryFormat ? [9] : [])];
    checkFields(COMMAND, bytes, level, also);
  }
  const command = readCommand(bytes, behaviour);
  if (command.arguments.length === 0)
    throw invalid("arguments", "there are none, so that nothing can be run");
  for (const argument of command.arguments) refuseZero(argument, "arguments");
  if (actions.sortedLists) checkSorted(command);
  checkPlatform(action.platform ?? command.platform, actions.platform, level);
  const workingDirectory = pathInRoot("", command.workingDirectory, "working_directory");
  return {
    arguments: command.arguments,
    environment: readEnvironment(command),
    workingDirectory,
    outputs: readOutputSpec(command, actions.outputBase === "input-root" ? "" : workingDirectory, behaviour),
    outputProperties: readOutputProperties(action, command, behaviour),
  };
}

/** A Command with what the server looks at, and no more. */
function readCommand(bytes: Buffer, { level, actions }: Behaviour): Command {
  const command = decode(COMMAND, bytes, level);
  const whole = decode(COMMAND, bytes, NEWEST);
  command.platform = actions.platform.from.includes("command") ? whole.platform : null;
  command.outputPaths = actions.readsPaths ? whole.outputPaths : [];
  command.outputFiles = actions.readsLists ? whole.outputFiles : [];
  command.outputDirectories = actions.readsLists ? whole.outputDirectories : [];
  command.outputDirectoryFormat = actions.readsDirectoryFormat ? whole.outputDirectoryFormat : 0;
  return command;
}

function decode<Name extends MessageName>(name: Name, bytes: Buffer, level: Level): Messages[Name] {
  try {
    return codec(level).decode(name, bytes);
  } catch (error) {
    if (error instanceof MalformedMessageError) throw invalid("action_digest", error.message);
    throw error;
  }
}

function readTimeout(timeout: Action["timeout"]): number {
  if (timeout === null) return MAX_TIMEOUT_MS;
  const milliseconds = Number(nanosecondsOf(timeout)) / 1e6;
  if (milliseconds < 0) throw invalid("timeout", "it is negative");
  if (milliseconds > MAX_TIMEOUT_MS)
    throw invalid("timeout", "it is longer than a day, the most allowed here");
  return milliseconds;
}

function readEnvironment({ environmentVariables }: Command): Record<string, string> {
  const environment: Record<string, string> = Object.create(null);
  for (const { name, value } of environmentVariables) {
    if (name === "" || name.includes("=")) {
      throw invalid("environment_variables", `${JSON.stringify(name)} cannot be the name of a variable`);
    }
    if (Object.hasOwn(environment, name)) throw invalid("environment_variables", `${name} is there twice`);
    environment[refuseZero(name, "environment_variables")] = refuseZero(value, "environment_variables");
  }
  return environment;
}

/** The list is in the Action from 2.0 to before 2.2, and in the Command since; a codec reads the other one as empty. */
function readOutputProperties(
  action: Action,
  command: Command,
  { level, outputs }: Behaviour,
): readonly string[] {
  const names = [...action.outputNodeProperties, ...command.outputNodeProperties];
  const supported = propertyNames(level, outputs.returned);
  const unknown = names.find((name) => !supported.includes(name));
  if (unknown === undefined || !outputs.refusesUnknownProperties) {
    return names.filter((name) => supported.includes(name));
  }
  throw invalid(
    "output_node_properties",
    `there is no property ${JSON.stringify(unknown)}; this server has ${supported.join(" and ")}`,
  );
}

function refuseZero(text: string, field: string): string {
  if (text.includes("\0")) throw invalid(field, "there is a zero byte in it");
  return text;
}
