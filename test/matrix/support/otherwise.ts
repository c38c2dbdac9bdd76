/** What a client sees otherwise than at a server of its own level although nobody refuses it, and why that is so: exactly this may come, and nothing else. */
import { type Manner, mannerOf } from "../../../src/client/manner.ts";
import { type Expectation, type Shape, sampleOf } from "../../../src/client/samples.ts";
import { directory, file } from "../../../src/client/shapes/shape.ts";
import type { Behaviour } from "../../../src/embedded/behaviour/behaviour.ts";
import type { ResolvedClient } from "../../../src/peers/profile.ts";
import { knows } from "../../../src/spec/ledger.ts";
import { NEWEST } from "../../../src/spec/versions.ts";
import { Status } from "../../../src/wire/status.ts";
import type { AnyShape } from "./all-shapes.ts";

/** The two sides. */
export interface Sides {
  readonly manner: Manner;
  /** Facts of a known client; none of a level's. */
  readonly facts: ResolvedClient["facts"];
  readonly server: Behaviour;
}

/** What may come instead. */
export interface Otherwise {
  readonly why: string;
  readonly instead: Partial<Expectation>;
}

type Rule = (sides: Sides, expected: Expectation) => Otherwise | readonly Otherwise[] | null;

const MADE = { "out.txt": file("made\n") } as const;
const REFUSED = { failure: Status.FAILED_PRECONDITION, outputs: {} } as const;

/** The outputs of the newest level, of what older levels refuse or do not do. */
function lenient(shape: Shape): Rule {
  return ({ manner }, { failure, exitCode }) => {
    const instead = sampleOf(shape).expectedBy({ ...mannerOf(NEWEST), outputs: manner.outputs });
    if (failure === null && exitCode === instead.exitCode) return null;
    return { why: "the server takes what one of the client's level need not take", instead };
  };
}

/** What a server makes of outputs of another type than declared stands (D26). */
function wrongType(found: Expectation["outputs"]): Rule {
  return ({ server: { outputs } }) => {
    const why = "outputs of another type than declared are as the server has them (output-types)";
    if (outputs.wrongType === "omitted") return { why, instead: { failure: null, outputs: {} } };
    if (outputs.wrongType === "accepted") return { why, instead: { failure: null, outputs: found } };
    return { why, instead: { failure: outputs.wrongType, outputs: {} } };
  };
}

/** Platforms are words between client and server (D37). */
const otherPlatform: Rule = ({ server: { actions, level } }) => ({
  why: "the server finds workers by words of its own (platform-lexicon)",
  instead:
    actions.platform.by === "lexicon" && !knows(level, "behaviour:platform-lexicon")
      ? { failure: null, outputs: MADE }
      : REFUSED,
});

/** Some servers make output directories, and some clients count on it. */
function madeDirectories(instead: Partial<Expectation>): Rule {
  return ({ server, facts }) =>
    server.actions.makes.directories || facts.outputDirectories?.expected
      ? { why: "directories of output_directories are made, as the server or the client has it", instead }
      : null;
}

/** Links that cannot be had: the client reads no list of them, or the server follows or refuses them. */
function noLink(others: Expectation["outputs"], isAbsolute = false): Rule {
  return ({ manner, server: { outputs, actions } }) => {
    const without = (why: string): Otherwise => ({ why, instead: { outputs: others } });
    return [
      ...(manner.reads.symlinks.length === 0 ? [without("the client reads no list of links")] : []),
      ...(outputs.dangling === "dropped" ? [without("the server drops links that lead nowhere")] : []),
      ...(isAbsolute && !actions.absoluteSymlinks
        ? [{ why: "the server allows no absolute links", instead: REFUSED }]
        : []),
    ];
  };
}

/** Attributes that were sent count, also where the client's level has another form; nobody is told that a server does not apply them. */
const inputAttributes: Rule = ({ server: { actions } }, { stdout }) => {
  const [old, fresh] = ["old\n-rwxr-x---\n", "new\n-rw-r--r--\n"];
  if (stdout !== old) return { why: "the attributes that the client sends count", instead: { stdout: old } };
  if (actions.applied.length > 0) return null;
  return { why: "the server applies no attributes, and some are mere marks", instead: { stdout: fresh } };
};

const RULES: Readonly<Partial<Record<Shape, Rule>>> = {
  "absolute-link": noLink({}, true),
  "bare-program": lenient("bare-program"),
  "dangling-link": noLink({}),
  "different-platforms": otherPlatform,
  "directory-for-file": wrongType({ out: directory({ "a.txt": file("a\n") }) }),
  "file-for-directory": wrongType({ out: file("made\n") }),
  "input-attributes": inputAttributes,
  "link-to-file": noLink({ "real.txt": file("real\n") }),
  "missing-output": madeDirectories({ outputs: { ...MADE, never: directory() } }),
  "no-platform": ({ server }) =>
    server.actions.platform.by === "equal-sets"
      ? { why: "the server has no worker without properties", instead: REFUSED }
      : null,
  "odd-link-targets": lenient("odd-link-targets"),
  "other-platform": otherPlatform,
  "unmade-directory": madeDirectories({
    exitCode: 0,
    outputs: { out: directory({ "a.txt": file("made\n") }) },
  }),
  "unmade-parents": lenient("unmade-parents"),
  unsorted: ({ server }) =>
    server.actions.sortedLists ? { why: "the server wants lists sorted", instead: REFUSED } : null,
};

/** What may come of a shape instead of what is expected, the likeliest first; empty where nothing may. */
export function otherwise(shape: AnyShape, sides: Sides): readonly Otherwise[] {
  const may = RULES[shape as Shape]?.(sides, sampleOf(shape).expectedBy(sides.manner)) ?? [];
  return [may].flat();
}

/** Why no such client writes a shape; null where one may. */
export function unwritten(shape: Shape, client: ResolvedClient): string | null {
  if (shape === "nested-directories" || shape === "file-in-directory") {
    const { writes } = client.features["output-nesting"] ?? {};
    return writes?.every((form) => form === "forbidden") ? "its outputs do not nest" : null;
  }
  if (shape === "different-platforms" || shape === "platform-in-command" || shape === "platform-in-action")
    return "it has places of its own for platforms";
  return null;
}
