/** Harmless questions whose answers tell servers apart: each is a call that has nothing to do, whoever answers it. */
import { FieldWriter } from "../wire/field-writer.ts";
import { BATCH_READ, BATCH_UPDATE, FETCH_BLOB, FIND_MISSING, GET_TREE, READ } from "./methods.ts";

/** The names of all questions. */
export const ASKS = [
  "empty-tree",
  "unknown-instance",
  "unreadable-resource-name",
  "empty-batch-read",
  "empty-batch-update",
  "fetch-without-uris",
  "reflection",
  "health",
] as const;

/** One of {@link ASKS}. */
export type Ask = (typeof ASKS)[number];

/** A call to make. */
export interface Question {
  /** Paths of the method; the second one where the first is UNIMPLEMENTED. */
  readonly paths: readonly [string, ...string[]];
  readonly request: Buffer;
  /** For calls of ByteStream: the name in the request. */
  readonly resourceName?: string;
}

/** An instance name that nobody has. */
const NOBODYS = "no-such-instance-of-reapi-bridge";
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** The call that asks for an instance, as the upstream names it. */
export function questionOf(ask: Ask, instance: string): Question {
  return QUESTIONS[ask](instance);
}

/** The path of the method that a question calls first. */
export function pathOf(ask: Ask): string {
  return questionOf(ask, "").paths[0];
}

const QUESTIONS: Readonly<Record<Ask, (instance: string) => Question>> = {
  // The size of 0 is the default, and not written.
  "empty-tree": (instance) =>
    ask(GET_TREE, (out) => {
      const digest = new FieldWriter();
      digest.text(1, EMPTY_SHA256);
      named(out, instance).message(2, digest.finish());
    }),
  "unknown-instance": () => ask(FIND_MISSING, (out) => named(out, NOBODYS)),
  "unreadable-resource-name": (instance) => {
    const resourceName = `${instance === "" ? "" : `${instance}/`}blobs/unreadable`;
    return { ...ask(READ, (out) => out.text(1, resourceName)), resourceName };
  },
  "empty-batch-read": (instance) => ask(BATCH_READ, (out) => named(out, instance)),
  "empty-batch-update": (instance) => ask(BATCH_UPDATE, (out) => named(out, instance)),
  "fetch-without-uris": (instance) => ask(FETCH_BLOB, (out) => named(out, instance)),
  reflection: () => {
    const paths = ["v1", "v1alpha"].map(
      (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    );
    const { request } = ask("", (out) => out.text(7, "*"));
    return { paths: paths as [string, string], request };
  },
  health: () => ask("/grpc.health.v1.Health/Check", () => {}),
};

function ask(path: string, fill: (out: FieldWriter) => void): Question {
  const out = new FieldWriter();
  fill(out);
  return { paths: [path], request: out.toBuffer() };
}

/** Instance names are the first field of every request that has one. */
function named(out: FieldWriter, instance: string): FieldWriter {
  if (instance !== "") out.text(1, instance);
  return out;
}
