/** Digest functions of requests and names that do not say them (D08, D14). */
import type { PeerFacts } from "../peers/dialect.ts";
import type { BridgeError } from "../spec/bridge-error.ts";
import { knows } from "../spec/ledger.ts";
import type { Level } from "../spec/versions.ts";
import { DIGEST_FUNCTIONS, type DigestFunction, digestFunctionByNumber } from "../wire/digest-function.ts";
import { refusalOf } from "./refusal.ts";
import type { Pair } from "./translator.ts";

/** What a hash of some length means to the server of a pair, in a message of its client that does not say it. */
export type Meant =
  | DigestFunction
  /** What the client can only mean, and the server does not have. */
  | { readonly lacking: DigestFunction }
  /** Nobody knows: the server has to tell. */
  | null;

/**
 * The function that is meant by a hash of so many digits: one that both sides have. Of several it is the server's first of those that may be left unsaid, as the
 * server would tell it. Never GITSHA1.
 */
export function meantFunction(hexDigits: number, { client, server }: Pair): Meant {
  const mayBe = (fn: DigestFunction): boolean => fn.hexDigits === hexDigits && fn.name !== "GITSHA1";
  const fits = functionsOf(client.digestFunctions).filter(mayBe);
  const offered = functionsOf(server.digestFunctions).filter(mayBe);
  // A client may have more functions than is known of it: where none of those has this length, any may be meant.
  const shared = fits.length === 0 ? offered : offered.filter((fn) => fits.includes(fn));
  if (shared.length > 0) return untold(shared);
  const [only, ...more] = fits;
  const lacks = only !== undefined && more.length === 0 && server.digestFunctions.length > 0;
  return lacks ? { lacking: only } : null;
}

/** What is meant of several functions by a hash that does not say it: the first that may be left unsaid, else the only one. */
function untold(functions: readonly DigestFunction[]): DigestFunction | null {
  const [first, ...others] = functions;
  return functions.find((fn) => fn.implicit) ?? (others.length === 0 ? (first ?? null) : null);
}

/**
 * The function that a server which offers these tells by a hash of so many digits, where nothing else says it; of the first seven, where nobody knows what it
 * offers.
 */
export function toldByLength(hexDigits: number, offered: readonly number[]): DigestFunction | null {
  const all = offered.length > 0 ? functionsOf(offered) : DIGEST_FUNCTIONS.filter((fn) => fn.implicit);
  return untold(all.filter((fn) => fn.hexDigits === hexDigits && fn.name !== "GITSHA1"));
}

/** What the server of a pair has of digest functions, as the end of a sentence about it. */
export function offeredText({ server }: Pair): string {
  const names = functionsOf(server.digestFunctions).map(({ name }) => name);
  return names.length > 0 ? `has ${names.join(", ")}` : "has only digest functions from before API 2.5";
}

/** The refusal of a hash that can only be of a function that the server of the pair lacks; `field` is where it stands. */
export function lackingFunction({ name }: DigestFunction, field: string, pair: Pair): BridgeError {
  const step = {
    code: "digest-function-unsupported",
    has: offeredText,
    fix: "start the client with a digest function that the upstream has",
  } as const;
  const used = { what: `A hash of ${name}, which is not named,`, element: null, text: field };
  return refusalOf({ feature: OF }, step, "unsaid", used, pair);
}

/** The feature that says which functions there are. */
const OF = { id: "digest-functions", drift: ["D09"] };

/**
 * The functions that a client uses without saying so, though they have to be named: those beyond the first seven, of a client that is known to use none of the
 * first seven with hashes of that length, and names none.
 */
export function unsaidFunctions({
  role,
  level,
  digestFunctions,
  claims,
}: PeerFacts): readonly DigestFunction[] {
  if (role !== "client" || level === null || saysFunctions(level.value, claims)) return [];
  const all = functionsOf(digestFunctions);
  return all.filter(
    (fn) =>
      !fn.implicit &&
      fn.name !== "GITSHA1" &&
      !all.some((other) => other.implicit && other.hexDigits === fn.hexDigits),
  );
}

function saysFunctions(level: Level, claims: PeerFacts["claims"]): boolean {
  const claim = claims.find(({ feature, writes }) => feature === "digest-function-field" && writes);
  return claim?.writes?.includes("set") ?? knows(level, SEGMENT);
}

/** What came with the field that names the function. */
const SEGMENT = "behaviour:function-segment";

function functionsOf(numbers: readonly number[]): DigestFunction[] {
  return numbers.flatMap((number) => digestFunctionByNumber(number) ?? []);
}
