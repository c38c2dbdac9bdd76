/** Small actions, each of a shape in which peers differ, and what has to come of them. */
import type { StatusCode } from "../wire/status.ts";
import type { ActionSpec, DeclaredOutput, Platform } from "./action-spec.ts";
import type { Attributes } from "./attributes.ts";
import type { Path } from "./directories.ts";
import type { Manner } from "./manner.ts";
import type { Input } from "./remote-client.ts";
import { CACHING_SHAPES } from "./shapes/caching.ts";
import { HEAVY_SHAPES, type HeavyShape } from "./shapes/heavy.ts";
import { INPUT_SHAPES } from "./shapes/inputs.ts";
import { LINK_SHAPES } from "./shapes/links.ts";
import { OUTPUT_SHAPES } from "./shapes/outputs.ts";
import { PLACE_SHAPES } from "./shapes/places.ts";
import { PLATFORM_SHAPES } from "./shapes/platforms.ts";
import { RUN_SHAPES } from "./shapes/runs.ts";
import type { ShapeFacts } from "./shapes/shape.ts";

/** What is in an output directory. */
export type ExpectedEntry =
  | {
      readonly kind: "file";
      readonly content: string;
      readonly executable?: boolean;
      /** Not looked at unless they are given. */
      readonly attributes?: Attributes;
    }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "directory" };

/** What an output has to be: a directory by all that is below it, by path from there. */
export type Expected =
  | Exclude<ExpectedEntry, { kind: "directory" }>
  | { readonly kind: "directory"; readonly entries: Readonly<Record<Path, ExpectedEntry>> };

/** What has to come of an action. */
export interface Expectation {
  /** The status in which the execution ends in place of a result; null if there is one. */
  readonly failure: StatusCode | null;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** All that come, by path from the input root; declared outputs that are not here do not come. */
  readonly outputs: Readonly<Record<Path, Expected>>;
}

/** One action. */
export interface Sample {
  /** In a few words, for people. */
  readonly title: string;
  readonly spec: ActionSpec;
  readonly inputs: Readonly<Record<Path, Input>>;
  /** Whether the same client gets the result from the action cache when it comes again. */
  readonly cacheable: boolean;
  /**
   * What a client of this manner sees at a server of its own level, which has just the fields and rules of that level. Through a bridge it has
   * to see the same at any server, or a refusal by name.
   */
  expectedBy(manner: Manner): Expectation;
}

/** Every small shape. */
export const SHAPES = {
  ...OUTPUT_SHAPES,
  ...LINK_SHAPES,
  ...PLACE_SHAPES,
  ...INPUT_SHAPES,
  ...PLATFORM_SHAPES,
  ...RUN_SHAPES,
  ...CACHING_SHAPES,
} as const satisfies Readonly<Record<string, ShapeFacts>>;

/** Names of the small samples. */
export type Shape = keyof typeof SHAPES;

/** What a sample may be made with. */
export interface SampleOptions {
  /** Makes it another action than the last one of this shape, so that no cache knows it. */
  readonly salt?: string;
  /** Platform properties that the action asks for; those of the shape by default. Shapes that are about platforms have their own. */
  readonly platform?: Platform;
  /** The PATH that the command sees; it needs `mkdir`, `ln` and the like. */
  readonly searchPath?: string;
}

/** A sample of the shape. */
export function sampleOf(shape: Shape | HeavyShape, options: SampleOptions = {}): Sample {
  const facts: ShapeFacts =
    shape in HEAVY_SHAPES ? HEAVY_SHAPES[shape as HeavyShape]() : SHAPES[shape as Shape];
  const { salt = "", searchPath = "/usr/bin:/bin" } = options;
  const { title, script, outputs = {}, alsoDeclares = [], inputs = {}, cacheable = true, spec } = facts;
  const { exitCode = 0, stdout = "", stderr = "", seenBy } = facts;
  const platform = facts.platform === undefined ? options.platform : (facts.platform ?? undefined);
  const expected: Expectation = {
    failure: null,
    exitCode,
    stdout,
    stderr,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([path, { leadsTo: _, ...output }]) => [path, output as Expected]),
    ),
  };
  return {
    title,
    spec: {
      program: "/bin/sh",
      arguments: script === undefined ? [] : ["-c", `set -e; ${script}`],
      outputs: [...declaredIn(outputs), ...alsoDeclares],
      ...(platform && { platform }),
      timeoutSeconds: 10,
      ...spec,
      environment: { PATH: searchPath, ...(salt !== "" && { SALT: salt }), ...spec?.environment },
    },
    inputs,
    cacheable,
    expectedBy: (manner) => ({ ...expected, ...seenBy?.(manner) }),
  };
}

function declaredIn(outputs: NonNullable<ShapeFacts["outputs"]>): DeclaredOutput[] {
  return Object.entries(outputs).map(([path, output]) => ({
    path,
    kind: output.leadsTo ?? (output.kind === "directory" ? "directory" : "file"),
  }));
}
