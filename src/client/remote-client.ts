/** A client of the API: what a build tool does with a server, with nothing of the bridge in it. */
import { type EncodedAction, encodeAction } from "./action.ts";
import type { ActionSpec } from "./action-spec.ts";
import type { Api } from "./api.ts";
import type { Attributes } from "./attributes.ts";
import { type Blob, blobOf } from "./blob.ts";
import { CallFailed } from "./call-failed.ts";
import type { Connection } from "./connection.ts";
import type { Entry, Path } from "./directories.ts";
import { inputTree } from "./input-tree.ts";
import type { Manner } from "./manner.ts";
import { reuploads } from "./missing-blobs.ts";
import { type Output, readOutputs } from "./outputs.ts";
import { RemoteExecution, type ResultWishes } from "./remote-execution.ts";
import { RemoteStore } from "./remote-store.ts";

/** How often blobs that went missing are uploaded again. */
const MOST_UPLOADS = 2;

/** An input as a build has it. Directories that lead to others need not be given. */
export type Input = { readonly attributes?: Attributes } & (
  | { readonly kind: "file"; readonly content: string; readonly executable?: boolean }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "directory" }
);

/** What is in the input root, and the contents of files that are here. */
export interface Inputs {
  readonly entries: ReadonlyMap<Path, Entry>;
  readonly blobs: readonly Blob[];
}

/** A finished action. */
export interface Ran {
  readonly encoded: EncodedAction;
  /** Whether the server knew the result already. */
  readonly cached: boolean;
  readonly result: Api<"ActionResult">;
}

/** Works on a connection in one manner. Every method throws CallFailed, if a call fails for good. */
export class RemoteClient {
  readonly manner: Manner;
  readonly store: RemoteStore;
  readonly execution: RemoteExecution;
  readonly #connection: Connection;

  constructor(connection: Connection, manner: Manner, instance = "") {
    this.manner = manner;
    this.store = new RemoteStore(connection, manner, instance);
    this.execution = new RemoteExecution(connection, manner, instance);
    this.#connection = connection;
  }

  /** Inputs with the contents of their files, none of them known to the server yet. */
  inputs(inputs: Readonly<Record<Path, Input>>): Inputs {
    const blobs: Blob[] = [];
    const entries = new Map<Path, Entry>();
    for (const [path, input] of Object.entries(inputs)) {
      if (input.kind !== "file") {
        entries.set(path, input);
        continue;
      }
      const { content, executable = false, ...rest } = input;
      const blob = blobOf(content, this.manner.digestFunction);
      blobs.push(blob);
      entries.set(path, { ...rest, digest: blob.digest, executable });
    }
    return { entries, blobs };
  }

  /** An action and all blobs it needs, those of the inputs included. Nothing is uploaded. */
  prepare(spec: ActionSpec, inputs: Inputs): { encoded: EncodedAction; blobs: Blob[] } {
    const { codec } = this.#connection;
    const { digestFunction, nodeProperties } = this.manner;
    const tree = inputTree(inputs.entries, { codec, digestFunction, properties: nodeProperties.form });
    const encoded = encodeAction(spec, tree.root, this.manner, codec);
    return { encoded, blobs: [...inputs.blobs, ...tree.directories, encoded.command, encoded.action] };
  }

  /** The result of an action: from the cache, else from running it, with uploads again as the manner has it. */
  async run(spec: ActionSpec, inputs: Inputs): Promise<Ran> {
    const { manner, store, execution } = this;
    const { encoded, blobs } = this.prepare(spec, inputs);
    const { digest } = encoded.action;
    const wishes = wishesOf(spec, encoded);
    const looksUp = manner.looksUp && spec.skipCacheLookup !== true;
    const known = looksUp ? await execution.cachedResult(digest, wishes) : null;
    if (known !== null) return { encoded, cached: true, result: known };
    await store.upload(blobs);
    for (let uploads = 0; ; uploads++) {
      try {
        return { encoded, cached: false, result: await execution.execute(digest, wishes) };
      } catch (error) {
        const again = error instanceof CallFailed ? reuploads(error, blobs, manner) : null;
        if (again === null || uploads === MOST_UPLOADS) throw error;
        await store.put(again);
      }
    }
  }

  /** The outputs of a result, by the paths it has them under. */
  async outputs(result: Api<"ActionResult">): Promise<Map<string, Output>> {
    return readOutputs(result, this.manner, this.#connection.codec, (digests) => this.store.read(digests));
  }

  /** What an action printed. */
  async printed(raw: Uint8Array, digest: { hash: string; sizeBytes: bigint } | null): Promise<string> {
    if (raw.length > 0 || digest === null) return Buffer.from(raw).toString();
    const [bytes] = await this.store.read([digest]);
    return bytes!.toString();
  }
}

function wishesOf(
  { skipCacheLookup = false, inline = {}, outputs }: ActionSpec,
  { outputPaths }: EncodedAction,
): ResultWishes {
  const files = outputs.filter(({ path }) => inline.files?.includes(path));
  return {
    skipCacheLookup,
    inlineStdout: inline.stdout ?? false,
    inlineStderr: inline.stderr ?? false,
    inlineOutputFiles: files.map((output) => outputPaths.get(output)!),
  };
}
