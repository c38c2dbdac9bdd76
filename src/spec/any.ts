/** Messages inside google.protobuf.Any: the metadata and response of an Operation, the details of a status. */
import type { Codec, Draft, MessageName } from "./codec.ts";
import type { Messages } from "./generated/messages.ts";

type Any = Messages["google.protobuf.Any"];

/** The message, encoded, with the type URL that other implementations write. Throws as {@link Codec.encode}. */
export function packAny<Name extends MessageName>(
  codec: Codec,
  name: Name,
  message: Draft<Messages[Name]>,
): Any {
  return { typeUrl: `type.googleapis.com/${name}`, value: codec.encode(name, message) };
}

/**
 * The message in `any` if it is one of this name, else null. Only what follows the last slash of the type URL counts.
 * @throws MalformedMessageError if it is said to be one and is not.
 */
export function unpackAny<Name extends MessageName>(
  codec: Codec,
  name: Name,
  any: Pick<Any, "typeUrl" | "value"> | null,
): Messages[Name] | null {
  if (any === null || any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1) !== name) return null;
  return codec.decode(name, any.value);
}
