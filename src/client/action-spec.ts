/** What a client wants to have run, in no form of the API yet. */
import type { Path } from "./directories.ts";

/** An output as a build declares it. */
export interface DeclaredOutput {
  /** From the input root; "" is the root itself. */
  readonly path: Path;
  /** What the command makes; a symlink has the kind of what it leads to. */
  readonly kind: "file" | "directory";
}

/** Properties by name. */
export type Platform = Readonly<Record<string, string>>;

/** What a client would like to have in the result itself; a server may leave it aside (D44, D51). */
interface InlineWishes {
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** Outputs, by path from the input root. */
  readonly files?: readonly Path[];
}

/** An action. */
export interface ActionSpec {
  /**
   * The program and its arguments: an absolute path or a bare name, to be looked up in PATH. A program that is an input is given as
   * `{ input: PATH }`, by its path from the input root.
   */
  readonly program: string | { readonly input: Path };
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly outputs: readonly DeclaredOutput[];
  /** Written where the client writes platforms. */
  readonly platform?: Platform;
  /** In place of `platform`: what either message says, whatever the manner. One that is left out says nothing. */
  readonly platforms?: { readonly command?: Platform; readonly action?: Platform };
  /** From the input root; the input root itself if it is left out. */
  readonly workingDirectory?: Path;
  /** To the millisecond. */
  readonly timeoutSeconds: number;
  readonly doNotCache?: boolean;
  /** Action.salt; nothing to levels without it. */
  readonly salt?: string;
  /** Properties of outputs that it asks for besides those of the manner, by their names of today. */
  readonly outputProperties?: readonly string[];
  /** Lists stay in the order, and with the doubles, in which they are given: no well-behaved client does that. */
  readonly asGiven?: boolean;
  /** It is to run anew: the client does not look for a result, and tells the server not to. */
  readonly skipCacheLookup?: boolean;
  readonly inline?: InlineWishes;
}
