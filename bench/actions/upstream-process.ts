/** The upstream of actions, as whoever measures sees it. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Connection } from "../../src/client/connection.ts";
import { BATCH_READ, BATCH_UPDATE } from "../../src/upstream/methods.ts";
import { type Digest, encodeDigest, parseDigest } from "../../src/wire/digest.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { Walker } from "../../src/wire/walker.ts";
import { type ClientBlob, uploads } from "./messages.ts";
import type { Uses } from "./upstream/memory-server.ts";

/** A server that runs nothing, in a process of its own on one core. */
export class Upstream {
  readonly port: number;
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly connection: Connection;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, port: number) {
    this.child = child;
    this.lines = lines;
    this.port = port;
    this.connection = new Connection(`127.0.0.1:${port}`);
  }

  /** Starts it. @throws Error if it ends at once. */
  static async start(core: number): Promise<Upstream> {
    const program = [process.execPath, join(import.meta.dirname, "upstream/main.ts")];
    const child = spawn("taskset", ["-c", String(core), ...program], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the upstream did not start");
    return new Upstream(child, lines, Number(value));
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Has it forget all blobs and results. */
  async clear(): Promise<void> {
    await this.tell("clear");
  }

  /** What it was asked for since the last time. */
  async uses(): Promise<Uses> {
    return (await this.tell("uses")) as Uses;
  }

  /** The action of the last execution; null if there was none. */
  async ran(): Promise<Digest | null> {
    const digest = (await this.tell("ran")) as string | null;
    return digest === null ? null : parseDigest(digest);
  }

  /** Stores blobs, without a bridge. */
  async store(blobs: readonly ClientBlob[]): Promise<void> {
    for (const request of uploads(blobs)) await this.connection.unaryBytes(BATCH_UPDATE, request);
  }

  /** Reads a blob, without a bridge. */
  async read(digest: Digest): Promise<Buffer> {
    const request = new FieldWriter();
    request.bytes(2, encodeDigest(digest));
    const response = new Walker(await this.connection.unaryBytes(BATCH_READ, request.toBuffer()));
    response.next();
    const entry = response.enter();
    while (entry.next()) if (entry.number === 2) return entry.bytes();
    throw new Error(`the upstream does not have ${digest.hash}`);
  }

  stop(): void {
    this.connection.close();
    this.child.kill();
  }

  private async tell(order: string): Promise<unknown> {
    this.child.stdin!.write(`${order}\n`);
    const { value, done } = await this.lines.next();
    if (done === true) throw new Error("the upstream ended");
    return JSON.parse(value as string);
  }
}
