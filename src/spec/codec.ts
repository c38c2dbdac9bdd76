/**
 * Decoding and encoding of the messages the bridge opens.
 *
 *     const action = codec().decode("build.bazel.remote.execution.v2.Action", bytes);
 *     action.commandDigest?.sizeBytes;                   // a bigint
 *     const bytes = codec().encode("build.bazel.remote.execution.v2.Digest", { hash, sizeBytes: 12n });
 *
 * - Names are full protobuf names without a leading dot; field names are lowerCamelCase. `./generated/messages.ts` has the types.
 * - `codec(level)` knows what that level knows and no more: a later field is an unknown field when it reads, and is not written.
 *   In a decoded message such a field reads as its default, as any absent one: 0, 0n, "", false, empty, null for a message.
 * - 64-bit integers are bigints. Encoding also takes safe integers as numbers, and throws on anything it could not write exactly.
 * - Unknown fields are kept at every depth, invisibly, and written after the known ones. Change a decoded message in place: a spread
 *   copy of it loses them.
 * - Bytes are views of the input, not copies; they stay valid, and keep the input in memory, as long as they are held. A message takes
 *   some 100 bytes of memory for each field, unknown ones included: two bytes of hostile input can become one.
 * - Encoding is canonical for a message without unknown fields: ascending numbers, no defaults. It still is not the form to hash
 *   unless something was deliberately changed: keep the bytes that came (R1).
 *
 * protobufjs is loaded at the first call of a codec and generates code for a message type at its first use.
 */
import type { Type } from "protobufjs/light.js";
import type { Messages } from "./generated/messages.ts";
import { levelTypes } from "./level-types.ts";
import { loadProtobufIo } from "./protobuf-io.ts";
import { LEVELS, type Level, NEWEST } from "./versions.ts";

/** Full name of a message the codec knows. */
export type MessageName = keyof Messages;

/** What may be given for encoding: any field may be left out, and safe integers may stand for bigints. */
export type Draft<T> = T extends bigint
  ? bigint | number
  : T extends Uint8Array | string | number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Draft<Item>[]
      : { readonly [Key in keyof T]?: Draft<T[Key]> | undefined };

/** Bytes that are not the message they were said to be. `message` names the type and what is wrong. */
export class MalformedMessageError extends Error {
  override readonly name = "MalformedMessageError";
}

/** Decodes and encodes messages as one level knows them. Get one from {@link codec}. */
export interface Codec {
  readonly level: Level;
  /**
   * The message in `bytes`. Repeated fields and maps are always there, other absent fields read as their defaults;
   * `Object.hasOwn(message, "field")` tells presence for messages and members of a oneof.
   * @throws MalformedMessageError on truncated or invalid input, on text that is not UTF-8, on nesting deeper than 100.
   */
  decode<Name extends MessageName>(name: Name, bytes: Uint8Array): Messages[Name];
  /**
   * The bytes of a message: one that was decoded, or a draft.
   * @throws RangeError or TypeError on a 64-bit field that holds no exact integer of its range.
   */
  encode<Name extends MessageName>(name: Name, message: Draft<Messages[Name]>): Buffer;
  /** The message that `decode` returns for the bytes of the draft: whole at every depth. Throws as `encode`. */
  create<Name extends MessageName>(name: Name, draft?: Draft<Messages[Name]>): Messages[Name];
}

const codecs = new Map<Level, Codec>();

/** The codec of a level, the newest by default. One per level exists; asking again is a map look-up. */
export function codec(level: Level = NEWEST): Codec {
  const known = codecs.get(level);
  if (known !== undefined) return known;
  if (!LEVELS.includes(level)) throw new RangeError(`no such API level: ${level}`);
  const made = makeCodec(level);
  codecs.set(level, made);
  return made;
}

function makeCodec(level: Level): Codec {
  const { Reader, Writer } = loadProtobufIo();
  const types = levelTypes(level);
  const typeOf = (name: string): Type => {
    const type = types(name);
    if (type === undefined) throw new TypeError(`the codec has no message called ${name}`);
    return type;
  };
  const made: Codec = {
    level,
    decode(name, bytes) {
      const type = typeOf(name);
      const reader = new Reader(bytes);
      try {
        return type.decode(reader) as unknown as Messages[typeof name];
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new MalformedMessageError(`not a valid ${name}: ${reason}`, { cause: error });
      }
    },
    encode(name, message) {
      return typeOf(name)
        .encode(message as Record<string, unknown>, new Writer())
        .finish() as Buffer;
    },
    create(name, draft) {
      return made.decode(name, made.encode(name, draft ?? ({} as Draft<Messages[typeof name]>)));
    },
  };
  return made;
}
