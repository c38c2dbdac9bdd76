/** What is done to actions: between which peers, and to actions of which form. */
import { codec } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { type Digest, formatDigest } from "../../src/wire/digest.ts";
import type { Form } from "./messages.ts";

const V2 = "build.bazel.remote.execution.v2";

/** The profiles of the peers that a bridge is told to stand between. */
export interface Peers {
  readonly client: string;
  readonly server: string;
}

/** An action that runs, or that a client wants to. */
export interface ReadAction {
  readonly digest: Digest;
  readonly action: Messages[`${typeof V2}.Action`];
  readonly command: Messages[`${typeof V2}.Command`];
}

/** One kind of rewriting. */
export interface Case {
  readonly name: string;
  readonly title: string;
  /** Null for no bridge at all. */
  readonly peers: Peers | null;
  readonly form: Form;
  /** What a server has to see run in place of the client's action, for this to be what is measured. */
  readonly holds: (client: ReadAction, ran: ReadAction) => boolean;
}

/** Reads an action by means of whoever has its blobs. */
export async function readAction(
  digest: Digest,
  load: (digest: Digest) => Promise<Buffer>,
): Promise<ReadAction> {
  const action = codec().decode(`${V2}.Action`, await load(digest));
  const { hash, sizeBytes } = action.commandDigest!;
  const command = await load({ hash, sizeBytes: Number(sizeBytes) });
  return { digest, action, command: codec().decode(`${V2}.Command`, command) };
}

const same: Case["holds"] = (client, ran) => formatDigest(client.digest) === formatDigest(ran.digest);
const isSameCommand: Case["holds"] = (client, ran) =>
  client.action.commandDigest?.hash === ran.action.commandDigest?.hash;
const NEWEST: Form = { platform: "both", outputs: "paths" };
const BUCK: Peers = { client: "buck2", server: "buildbarn@2026-03-26" };

/** The case that the others are compared with. */
export const RELAY = "relay";

const direct: Case = {
  ...{ name: "direct", title: "no bridge", peers: null, form: NEWEST, holds: same },
};

const relay: Case = {
  name: RELAY,
  title: "nothing to do in any call: bytes pass",
  peers: { client: "bazel@8.1", server: "buildbarn@2026-03-26" },
  form: NEWEST,
  holds: same,
};

/** Actions of a few small blobs. */
export const SMALL: readonly Case[] = [
  direct,
  relay,
  {
    name: "looked at",
    title: "Action and Command are read, and have nothing to rewrite",
    peers: BUCK,
    form: NEWEST,
    holds: same,
  },
  {
    name: "platform",
    title: "the platform goes from the Command into the Action",
    peers: BUCK,
    form: { platform: "command", outputs: "paths" },
    holds: (client, ran) => isSameCommand(client, ran) && (ran.action.platform?.properties.length ?? 0) > 0,
  },
  {
    name: "outputs",
    title: "lists of outputs become output_paths",
    peers: BUCK,
    form: { platform: "both", outputs: "lists" },
    holds: (_, { command }) => command.outputPaths.length === 2 && command.outputFiles.length === 0,
  },
  {
    name: "parents",
    title: "the directories around output_paths are captured, and outputs cut out of them",
    peers: { client: "pants@2.33", server: "buildfarm@1.17" },
    form: { platform: "command", outputs: "paths" },
    holds: (_, { command }) => command.outputDirectories.join() === "out" && command.outputPaths.length === 0,
  },
];

/** Actions with an input tree. */
export const TREES: readonly Case[] = [
  direct,
  relay,
  {
    name: "tree",
    title: "attributes of every file get another form, and with them every Directory",
    peers: { client: "buildstream@1.93.2", server: "nativelink" },
    form: { platform: "command", outputs: "lists" },
    holds: (client, ran) =>
      isSameCommand(client, ran) && client.action.inputRootDigest?.hash !== ran.action.inputRootDigest?.hash,
  },
];
