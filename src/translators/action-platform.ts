import { messageIn, withPayloads } from "../wire/fields.ts";
import { ActionField, CommandField } from "./action-messages.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { ActionEdit, ActionMessages, Edit, Pair, Translator } from "./translator.ts";

const PLATFORM = "build.bazel.remote.execution.v2.Action.platform";

/**
 * Where the platform stands (D36, lift L1): in the Command, or since 2.2 in the Action, which counts where both have one, also if it is empty. What the
 * server does not look at is copied to where it looks, as the bytes it has: their order is the client's.
 */
export const actionPlatform: Translator = {
  feature: {
    id: "action-platform",
    title: "Where the platform stands",
    since: "2.2",
    drift: ["D36"],
    why: "A server that does not look there runs the action anywhere, and keeps the wrong result.",
    forms: { command: "Command.platform", action: "Action.platform" },
  },
  owns: ["behaviour:platform-from-action", PLATFORM, ...of("Command", "platform")],
  after: ["node-properties", "output-parents"],
  clientAhead: "Action.platform is copied into the Command, where it differs",
  serverAhead:
    "Command.platform is copied into the Action, where that has none and the server reads no other",
  support: byLevel({
    element: PLATFORM,
    without: { reads: ["command"], writes: ["command"] },
    with: { reads: ["action", "command"], writes: ["action", "command"] },
  }),
  assume: {
    client: assumed(["action", "command"], ["action", "command"]),
    server: assumed(["command"], ["command"]),
  },
  toServer: {
    action: {
      command: { kind: "translate", content: { action: (given, _, pair) => intoCommand(given, pair) } },
    },
    command: { action: { kind: "translate", content: { action: intoAction } } },
  },
  toClient: pass("no response has a platform"),
};

/** What counts for a reader of the Action goes where the server looks; it stays in the Action as well, unless an unknown field there is an error. */
function intoCommand({ action, command }: ActionMessages, { server }: Pair): ActionEdit | null {
  const wanted = messageIn(action, ActionField.platform);
  if (wanted === null) return null;
  const strict = server.features["strict-canonical"]?.reads.includes("lenient") === false;
  const isThere = (messageIn(command, CommandField.platform) ?? NONE).equals(wanted);
  if (isThere && !strict) return null;
  return {
    action: strict ? withPlatform(action, ActionField.platform, NONE) : null,
    command: isThere ? null : withPlatform(command, CommandField.platform, wanted),
  };
}

/** An empty platform asks for nothing, as none does. */
function intoAction({ action, command }: ActionMessages): ActionEdit | null {
  const wanted = messageIn(command, CommandField.platform) ?? NONE;
  if (wanted.length === 0 || messageIn(action, ActionField.platform) !== null) return null;
  return { action: withPlatform(action, ActionField.platform, wanted) };
}

/** The message with that platform in the field `number`, and with none there for an empty one. */
function withPlatform(message: Buffer, number: number, platform: Buffer): Edit {
  return withPayloads(message, new Map([[number, platform.length === 0 ? [] : [platform]]]));
}

const NONE = Buffer.alloc(0);
