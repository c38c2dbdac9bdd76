/** A client of the API: what a build tool does with a server, with nothing of the bridge in it. */
import { type ActionSpec, type EncodedAction, encodeAction } from "./action.ts";
import type { Api } from "./api.ts";
import { type Blob, blobOf } from "./blob.ts";
import { CallFailed } from "./call-failed.ts";
import type { Connection } from "./connection.ts";
import { inputTree, type Path, type RemoteFile } from "./directories.ts";
import type { Manner } from "./manner.ts";
import { reuploads } from "./missing-blobs.ts";
import { type Output, readOutputs } from "./outputs.ts";
import { RemoteExecution } from "./remote-execution.ts";
import { RemoteStore } from "./remote-store.ts";

/** How often blobs that went missing are uploaded again. */
const MOST_UPLOADS = 2;

/** Files that are known, and those of which the content is here. */
export interface Inputs {
  readonly files: ReadonlyMap<Path, RemoteFile>;
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

  /** Inputs with the contents, none of them known to the server yet. */
  inputs(contents: Readonly<Record<Path, { content: string; executable: boolean }>>): Inputs {
    const blobs: Blob[] = [];
    const files = new Map<Path, RemoteFile>();
    for (const [path, { content, executable }] of Object.entries(contents)) {
      const blob = blobOf(content, this.manner.digestFunction);
      blobs.push(blob);
      files.set(path, { digest: blob.digest, executable });
    }
    return { files, blobs };
  }

  /** An action and all blobs it needs, those of the inputs included. Nothing is uploaded. */
  prepare(spec: ActionSpec, inputs: Inputs): { encoded: EncodedAction; blobs: Blob[] } {
    const { codec } = this.#connection;
    const tree = inputTree(inputs.files, { codec, digestFunction: this.manner.digestFunction });
    const encoded = encodeAction(spec, tree.root, this.manner, codec);
    return { encoded, blobs: [...inputs.blobs, ...tree.directories, encoded.command, encoded.action] };
  }

  /** The result of an action: from the cache, else from running it, with uploads again as the manner has it. */
  async run(spec: ActionSpec, inputs: Inputs): Promise<Ran> {
    const { manner, store, execution } = this;
    const { encoded, blobs } = this.prepare(spec, inputs);
    const { digest } = encoded.action;
    const known = manner.looksUp ? await execution.cachedResult(digest) : null;
    if (known !== null) return { encoded, cached: true, result: known };
    await store.upload(blobs);
    for (let uploads = 0; ; uploads++) {
      try {
        return { encoded, cached: false, result: await execution.execute(digest) };
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
