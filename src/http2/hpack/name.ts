import { isLegalName } from "./characters.ts";
import { staticEntries } from "./static-table.ts";
import { stringLiteral } from "./string-literal.ts";

/** A field name. Frequent names are interned, so that comparing objects compares names. */
export class Name {
  /** The name as it travels, one character for each byte; lower case if it is legal. */
  readonly text: string;
  /** The name as plain bytes. */
  readonly bytes: Buffer;
  /** The name as a string literal of RFC 7541 section 5.2. */
  readonly literal: Buffer;
  /** Whether the name starts with a colon. */
  readonly pseudo: boolean;
  /** Whether RFC 9113 section 8.2.1 allows the name. */
  readonly legal: boolean;
  /** Index of the first entry of the static table with this name, or 0. */
  readonly staticIndex: number;
  /** Free for the user of header rules: 0 until set. */
  role = 0;

  /** Makes a name that is identical with no other; see {@link internName}. */
  constructor(text: string) {
    this.text = text;
    this.bytes = Buffer.from(text, "latin1");
    this.literal = stringLiteral(text);
    this.pseudo = text.startsWith(":");
    this.legal = isLegalName(text);
    this.staticIndex = staticIndexes.get(text) ?? 0;
  }
}

const MAX_KEPT_NAMES = 2048;
const MAX_RECEIVED_NAMES = 1024;
const MAX_INTERNED_LENGTH = 128;

const staticIndexes = new Map<string, number>();
for (let i = staticEntries.length - 1; i > 0; i--) staticIndexes.set(staticEntries[i]![0], i);

/** Names the program itself asked for: never forgotten. */
const kept = new Map<string, Name>();
/** Names that peers sent: forgotten all at once when there are too many. */
const received = new Map<string, Name>();

/**
 * The one Name for a text that this program names itself; it is never forgotten. `text` is lower case. Names that code
 * compares by identity must be interned at start-up, before peers are read. Past 2,048 names, which only a program that
 * interns what peers send could reach, each call makes a new object: use {@link receivedName} for those.
 */
export function internName(text: string): Name {
  let name = kept.get(text);
  if (name === undefined) {
    name = received.get(text) ?? new Name(text);
    if (kept.size < MAX_KEPT_NAMES) kept.set(text, name);
  }
  return name;
}

/**
 * The Name for a text that a peer sent: an interned one if there is one. The same object for equal texts, except for
 * long names and after 1,024 others were seen.
 */
export function receivedName(text: string): Name {
  let name = kept.get(text) ?? received.get(text);
  if (name === undefined) {
    name = new Name(text);
    if (text.length <= MAX_INTERNED_LENGTH) {
      if (received.size >= MAX_RECEIVED_NAMES) received.clear();
      received.set(text, name);
    }
  }
  return name;
}
