/** What shapes of actions are made of. */
import type { ActionSpec, DeclaredOutput, Platform } from "../action-spec.ts";
import type { Path } from "../directories.ts";
import type { Manner } from "../manner.ts";
import type { Input } from "../remote-client.ts";
import type { Expectation, Expected, ExpectedEntry } from "../samples.ts";

/** An output that is declared and comes. */
export type ShapeOutput = Expected & {
  /** The kind of what a symlink leads to, which the older lists want to know. */
  readonly leadsTo?: DeclaredOutput["kind"];
};

/** A shape: an action, and what comes of it. Some servers make output directories before it runs: it takes them as they are. */
export interface ShapeFacts {
  readonly title: string;
  /** For /bin/sh, which stops at the first command that fails. */
  readonly script?: string;
  readonly inputs?: Readonly<Record<Path, Input>>;
  /** Declared, and there in the end. */
  readonly outputs?: Readonly<Record<Path, ShapeOutput>>;
  /** Declared besides: what does not come, or not as it was declared. */
  readonly alsoDeclares?: readonly DeclaredOutput[];
  /** Asked for by default; null asks for none, whatever the options say. */
  readonly platform?: Platform | null;
  /** In place of what else the action would have. */
  readonly spec?: Partial<ActionSpec>;
  /** Whether its result is kept for the same client; true if it is left out. */
  readonly cacheable?: boolean;
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** What is otherwise for a client of this manner at a server of its level. */
  seenBy?(manner: Manner): Partial<Expectation>;
}

/** A file by its content. */
export function file(content: string, executable = false): Extract<ExpectedEntry, { kind: "file" }> {
  return { kind: "file", content, executable };
}

/** A symlink by its target, and what it leads to. */
export function link(target: string, leadsTo: DeclaredOutput["kind"] = "file") {
  return { kind: "symlink", target, leadsTo } as const;
}

/** A directory by what is in it. */
export function directory(entries: Readonly<Record<Path, ExpectedEntry>> = {}) {
  return { kind: "directory", entries } as const;
}

/** A directory in another. */
export const DIRECTORY: ExpectedEntry = { kind: "directory" };

/** An input file. */
export function input(content: string, executable = false): Input {
  return { kind: "file", content, executable };
}

/** A program for a directory of inputs. */
export function tool(script: string): Input {
  return input(`#!/bin/sh\nset -e\n${script}\n`, true);
}
