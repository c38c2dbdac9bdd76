/** Names of operations that carry what any replica of the bridge needs to find them again (drift.md R7). */
import { type Digest, formatDigest, parseDigest } from "./digest.ts";
import { WireError } from "./wire-error.ts";

/** What a name carries. */
export interface OperationTag {
  /** The upstream that runs it, by the name that routes have for it; absent where only one executes. */
  readonly route?: string;
  /** What the operation was asked for; absent where only the route matters. */
  readonly execution?: TaggedExecution;
}

/** An execution, as its client asked for it. */
export interface TaggedExecution {
  /** The client's digest of the Action, and the number of its function; 0 if the request named none. */
  readonly action: Digest;
  readonly digestFunction: number;
  /** What the client calls the instance. */
  readonly instance: string;
  /** Tells which translation runs between client and upstream. */
  readonly plan: string;
  /** Bytes that make the execution one of its own (D43). */
  readonly nonce?: Buffer;
  /** The policies of the request, as they came, where they are short. */
  readonly executionPolicy?: Buffer;
  readonly resultsPolicy?: Buffer;
}

const MARK = "/rb1/";
/** Characters of a tag that are looked at; names come from clients. */
const MOST = 4096;
/** Bytes of a policy that a name carries: real ones are a number. */
const MOST_POLICY = 64;

/** The upstream's name with the tag behind it. */
export function tagOperation(name: string, { route, execution }: OperationTag): string {
  const tag = { ...(route !== undefined && { route }), ...(execution && packed(execution)) };
  return `${name}${MARK}${Buffer.from(JSON.stringify(tag)).toString("base64url")}`;
}

/** The upstream's own name, and the tag; null for a name without one, which is the upstream's as it is. */
export function untagOperation(name: string): { readonly name: string; readonly tag: OperationTag | null } {
  const at = name.lastIndexOf(MARK);
  if (at < 0 || name.length - at > MOST) return { name, tag: null };
  const tag = readTag(name.slice(at + MARK.length));
  return tag === null ? { name, tag } : { name: name.slice(0, at), tag };
}

function packed(execution: TaggedExecution): object {
  const { action, digestFunction, instance, plan, nonce, executionPolicy, resultsPolicy } = execution;
  const short = (bytes: Buffer | undefined): string | undefined =>
    bytes === undefined || bytes.length > MOST_POLICY ? undefined : bytes.toString("base64url");
  return {
    a: formatDigest(action),
    ...(digestFunction !== 0 && { f: digestFunction }),
    ...(instance !== "" && { i: instance }),
    p: plan,
    n: short(nonce),
    e: short(executionPolicy),
    c: short(resultsPolicy),
  };
}

function readTag(text: string): OperationTag | null {
  try {
    const tag: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (typeof tag !== "object" || tag === null) return null;
    const { route, a, f = 0, i = "", p, n, e, c } = tag as Readonly<Record<string, unknown>>;
    const execution =
      a === undefined
        ? undefined
        : {
            action: parseDigest(textOf(a)),
            digestFunction: numberOf(f),
            instance: textOf(i),
            plan: textOf(p),
            ...(n !== undefined && { nonce: bytesOf(n) }),
            ...(e !== undefined && { executionPolicy: bytesOf(e) }),
            ...(c !== undefined && { resultsPolicy: bytesOf(c) }),
          };
    if (route === undefined && execution === undefined) return null;
    return { ...(route !== undefined && { route: textOf(route) }), ...(execution && { execution }) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof WireError || error instanceof TypeError) return null;
    throw error;
  }
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("not a text");
  return value;
}

function bytesOf(value: unknown): Buffer {
  return Buffer.from(textOf(value), "base64url");
}

function numberOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new TypeError("not a number");
  return value;
}
