/** An executor with a store in memory, and short ways to give it actions. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { levelBehaviour } from "../../../src/embedded/behaviour/of-level.ts";
import { Executor } from "../../../src/embedded/execution/executor.ts";
import type { ExecutionOperation } from "../../../src/embedded/execution/operation.ts";
import type { BlobDigest } from "../../../src/embedded/store/blob-store.ts";
import { MemoryActionCache } from "../../../src/embedded/store/memory-action-cache.ts";
import { MemoryBlobStore } from "../../../src/embedded/store/memory-blob-store.ts";
import { unpackAny } from "../../../src/spec/any.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { type Level, NEWEST } from "../../../src/spec/versions.ts";
import { DIGEST_FUNCTIONS } from "../../../src/wire/digest-function.ts";
import { digestOf } from "../../../src/wire/hasher.ts";

const V2 = "build.bazel.remote.execution.v2";

type Message<Name extends string> = Messages[Extract<`${typeof V2}.${Name}`, keyof Messages>];
type DigestMessage = Message<"Digest">;

export const SHA256 = DIGEST_FUNCTIONS[0]!;

/** A directory as a test writes it: text is a file; the rest says what it is. */
export interface Files {
  readonly [name: string]:
    | string
    | { readonly executable: string }
    | { readonly link: string; readonly node?: Draft<Message<"SymlinkNode">> }
    | { readonly directory: Files; readonly node?: Draft<Message<"Directory">> }
    | { readonly text: string; readonly node: Draft<Message<"FileNode">> };
}

/** Command and Action in one; `run` is a script for /bin/sh in place of `arguments`. */
export interface TestAction {
  readonly run?: string;
  readonly inputs?: Files;
  readonly command?: Draft<Message<"Command">>;
  readonly action?: Draft<Message<"Action">>;
}

export class Workshop {
  readonly store = new MemoryBlobStore();
  readonly actionCache = new MemoryActionCache();
  readonly scratchDir: string;
  readonly executor: Executor;
  readonly level: Level;
  /** Messages are made by this codec, as a client of that level would. */
  readonly client: Level;

  private constructor(level: Level, client: Level, directory: string, parallelism: number) {
    this.level = level;
    this.client = client;
    this.scratchDir = join(directory, "scratch");
    const { store, actionCache, scratchDir } = this;
    this.executor = new Executor({
      behaviour: levelBehaviour(level),
      store,
      actionCache,
      scratchDir,
      parallelism,
    });
  }

  /** A workshop that is cleaned up, and checked for leftovers, after the test. */
  static async open(
    t: TestContext,
    {
      level = NEWEST,
      client = level,
      parallelism = 2,
    }: { level?: Level; client?: Level; parallelism?: number } = {},
  ): Promise<Workshop> {
    const directory = await mkdtemp(join(tmpdir(), "execution-test-"));
    const workshop = new Workshop(level, client, directory, parallelism);
    t.after(async () => {
      await workshop.executor.stop();
      assert.equal(existsSync(workshop.scratchDir), false, "the scratch directory is gone");
      await rm(directory, { recursive: true });
    });
    return workshop;
  }

  async put(bytes: Buffer): Promise<DigestMessage> {
    const digest = digestOf(bytes, SHA256);
    await this.store.put(digest, bytes);
    return codec().create(`${V2}.Digest`, { hash: digest.hash, sizeBytes: digest.sizeBytes });
  }

  async get(digest: DigestMessage | null): Promise<Buffer> {
    assert(digest);
    const bytes = await this.store.get(blobDigest(digest));
    assert(bytes, "the blob is stored");
    return bytes;
  }

  async text(digest: DigestMessage | null): Promise<string> {
    return (await this.get(digest)).toString();
  }

  async directory(files: Files, own: Draft<Message<"Directory">> = {}): Promise<DigestMessage> {
    const nodes = {
      files: [] as Draft<Message<"FileNode">>[],
      directories: [] as Draft<Message<"DirectoryNode">>[],
      symlinks: [] as Draft<Message<"SymlinkNode">>[],
    };
    for (const [name, entry] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (typeof entry === "string") nodes.files.push({ name, digest: await this.put(Buffer.from(entry)) });
      else if ("executable" in entry) {
        nodes.files.push({ name, digest: await this.put(Buffer.from(entry.executable)), isExecutable: true });
      } else if ("text" in entry) {
        nodes.files.push({ name, digest: await this.put(Buffer.from(entry.text)), ...entry.node });
      } else if ("link" in entry) nodes.symlinks.push({ name, target: entry.link, ...entry.node });
      else nodes.directories.push({ name, digest: await this.directory(entry.directory, entry.node) });
    }
    return this.put(codec(this.client).encode(`${V2}.Directory`, { ...nodes, ...own }));
  }

  async action({ run, inputs = {}, command = {}, action = {} }: TestAction): Promise<DigestMessage> {
    const script = run === undefined ? {} : { arguments: ["/bin/sh", "-c", run] };
    const commandDigest = await this.put(
      codec(this.client).encode(`${V2}.Command`, { ...script, ...command }),
    );
    const inputRootDigest = await this.directory(inputs);
    return this.put(codec(this.client).encode(`${V2}.Action`, { commandDigest, inputRootDigest, ...action }));
  }

  async start(
    action: TestAction,
    request: Draft<Message<"ExecuteRequest">> = {},
  ): Promise<ExecutionOperation> {
    return this.executor.execute(this.request({ actionDigest: await this.action(action), ...request }));
  }

  request(request: Draft<Message<"ExecuteRequest">>): Message<"ExecuteRequest"> {
    return codec(this.level).create(`${V2}.ExecuteRequest`, request);
  }

  /** Runs an action to its end. */
  async run(
    action: TestAction,
    request: Draft<Message<"ExecuteRequest">> = {},
  ): Promise<Message<"ExecuteResponse">> {
    return this.end(await this.start(action, request));
  }

  /** Runs an action that must not fail, and returns its result. */
  async result(
    action: TestAction,
    request: Draft<Message<"ExecuteRequest">> = {},
  ): Promise<Message<"ActionResult">> {
    const { status, result } = await this.run(action, request);
    assert.equal(status?.code ?? 0, 0, status?.message ?? "");
    assert(result);
    return result;
  }

  /** What a script, or a whole action, prints; it must succeed. */
  async output(action: TestAction): Promise<string> {
    const result = await this.result(action);
    const error = result.stderrDigest === null ? "" : await this.text(result.stderrDigest);
    assert.equal(result.exitCode, 0, error);
    return this.text(result.stdoutDigest);
  }

  /** The response of an operation once it is done, as a client of the newest level reads it. */
  async end(operation: ExecutionOperation): Promise<Message<"ExecuteResponse">> {
    for await (const { done, error, response } of operation.updates()) {
      assert.equal(error, null);
      if (!done) continue;
      const message = unpackAny(codec(), `${V2}.ExecuteResponse`, response);
      assert(message);
      return message;
    }
    throw new assert.AssertionError({ message: "the stream ended before the operation was done" });
  }

  /** Waits until an operation is in a stage, and fails if it passes it by. */
  async reach(operation: ExecutionOperation, stage: number): Promise<void> {
    for await (const state of operation.updates()) {
      if (metadataOf(state).stage === stage) return;
    }
    assert.fail(`the operation ended without having been seen in stage ${stage}`);
  }
}

/** The stage and all else a state of an operation shows. */
export function metadataOf({
  metadata,
}: Messages["google.longrunning.Operation"]): Message<"ExecuteOperationMetadata"> {
  const message = unpackAny(codec(), `${V2}.ExecuteOperationMetadata`, metadata);
  assert(message);
  return message;
}

export function blobDigest({ hash, sizeBytes }: DigestMessage): BlobDigest {
  return { hash, sizeBytes: Number(sizeBytes), digestFunction: SHA256 };
}
