/** Links among the outputs of an ActionResult, and what they lead to. */
import { posix } from "node:path";
import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { Edit } from "./translator.ts";

/** Field numbers of ActionResult. */
export const Outputs = {
  files: 2,
  directories: 3,
  fileLinks: 10,
  directoryLinks: 11,
  links: 12,
} as const;

/** An entry of one of the lists. */
export interface Output {
  /** The field it is in, one of {@link Outputs}. */
  readonly number: number;
  readonly path: string;
  /** Of a link; empty for others. */
  readonly target: string;
  readonly bytes: Buffer;
}

/** As many as systems follow on the way to one file. */
const MOST_LINKS = 40;

const NONE: ReadonlySet<Output> = new Set();

const NUMBERS: readonly number[] = Object.values(Outputs);

/** The outputs of a result by path, whichever lists they are in. */
export class ResultOutputs {
  readonly all: readonly Output[];
  private readonly result: Buffer;
  private readonly byPath = new Map<string, Output>();
  private readonly directories: ReadonlySet<string>;

  /** @throws WireError for broken bytes. */
  constructor(result: Buffer) {
    this.result = result;
    this.all = outputsOf(result);
    for (const output of this.all) if (!this.byPath.has(output.path)) this.byPath.set(output.path, output);
    this.directories = new Set(this.in(Outputs.directories).map(({ path }) => path));
  }

  /** The entries of these lists, in order. */
  in(...numbers: readonly number[]): Output[] {
    return this.all.filter(({ number }) => numbers.includes(number));
  }

  /** Whether any of the lists names the path. */
  has(path: string): boolean {
    return this.byPath.has(path);
  }

  /** All that is listed under the path. */
  at(path: string): Output[] {
    return this.byPath.has(path) ? this.all.filter((output) => output.path === path) : [];
  }

  /**
   * The result with outputs added, each to the list that its `number` says, and some of its own taken away. Lists that change are sorted by path, as
   * every list of outputs. Null if there is nothing to add or to take.
   */
  edited(added: readonly Output[], removed: ReadonlySet<Output> = NONE): Edit {
    if (added.length === 0 && removed.size === 0) return null;
    const changed = new Set([...added, ...removed].map(({ number }) => number));
    return rewriteMessage(
      new Walker(this.result),
      (field) => (changed.has(field.number) && field.wireType === WireType.LEN ? "drop" : "keep"),
      (out) => {
        const outputs = [...this.all.filter((output) => !removed.has(output)), ...added];
        for (const { number, bytes } of sortedByPath(outputs))
          if (changed.has(number)) out.bytes(number, bytes);
      },
    );
  }

  /** Links of the lists `from` that none of the lists `to` has, each path once; those inside of an output directory are part of it and left out. */
  missing(from: readonly number[], to: readonly number[]): Output[] {
    const there = new Set(this.in(...to).map(({ path }) => path));
    const missing = this.in(...from).filter(({ path }) => !there.has(path) && !this.isInside(path));
    return [...new Map(missing.map((link) => [link.path, link])).values()];
  }

  /** The output file or directory that a link leads to, also by way of others; null where it leads elsewhere, in a circle or too far. */
  targetOf(link: Output): Output | null {
    let current = link;
    for (let steps = 0; steps < MOST_LINKS; steps++) {
      if (current.target.startsWith("/")) return null;
      const next = this.byPath.get(
        posix.join(posix.dirname(current.path), current.target).replace(/\/$/, ""),
      );
      if (next === undefined) return null;
      if (next.number === Outputs.files || next.number === Outputs.directories) return next;
      current = next;
    }
    return null;
  }

  private isInside(path: string): boolean {
    if (this.directories.has("") && path !== "") return true;
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1))
      if (this.directories.has(path.slice(0, at))) return true;
    return false;
  }
}

/** The same output under another path. */
export function renamed(output: Output, path: string): Output {
  const slices = rewriteMessage(
    new Walker(output.bytes),
    ({ number }) => (number === 1 ? "drop" : "keep"),
    (out) => {
      if (path !== "") out.text(1, path);
    },
  );
  return { ...output, path, bytes: Buffer.concat(slices ?? [output.bytes]) };
}

function sortedByPath(outputs: readonly Output[]): Output[] {
  return outputs.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

function outputsOf(result: Buffer): Output[] {
  const outputs: Output[] = [];
  const field = new Walker(result);
  while (field.next()) {
    const { number } = field;
    if (field.wireType !== WireType.LEN || !NUMBERS.includes(number)) continue;
    const isLink = number >= Outputs.fileLinks;
    const { path, target } = namesIn(field.enter(), isLink);
    outputs.push({ number, path, target, bytes: field.bytes() });
  }
  return outputs;
}

function namesIn(output: Walker, isLink: boolean): { path: string; target: string } {
  let path = "";
  let target = "";
  while (output.next()) {
    if (output.wireType !== WireType.LEN) continue;
    if (output.number === 1) path = output.text();
    else if (isLink && output.number === 2) target = output.text();
  }
  return { path, target };
}
