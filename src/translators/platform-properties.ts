/** The properties of a Platform, where they lie. */

import { payloadsOf, withPayloads } from "../wire/fields.ts";
import { joined, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";

/** Field numbers of Platform and of its properties. */
const PROPERTIES = 1;
const PropertyField = { name: 1, value: 2 } as const;

/** A `Platform.Property`: what it says, and its bytes. */
export interface Property {
  readonly name: string;
  readonly value: string;
  readonly bytes: Buffer;
}

/** All properties, in order. @throws WireError for broken bytes. */
export function propertiesOf(platform: Buffer): Property[] {
  return payloadsOf(platform, PROPERTIES).map((bytes) => {
    let name = "";
    let value = "";
    const field = new Walker(bytes);
    while (field.next()) {
      if (field.wireType !== WireType.LEN) continue;
      if (field.number === PropertyField.name) name = field.text();
      else if (field.number === PropertyField.value) value = field.text();
    }
    return { name, value, bytes };
  });
}

/** The property with that name and value; itself if it has them. What else it holds stays. */
export function withNames(property: Property, name: string, value: string): Property {
  if (property.name === name && property.value === value) return property;
  const slices = rewriteMessage(
    new Walker(property.bytes),
    ({ number }) => (number === PropertyField.name || number === PropertyField.value ? "drop" : "keep"),
    (out) => {
      if (name !== "") out.text(PropertyField.name, name);
      if (value !== "") out.text(PropertyField.value, value);
    },
  );
  return { name, value, bytes: Buffer.concat(slices ?? []) };
}

/** A new property. */
export function newProperty(name: string, value: string): Property {
  return withNames({ name: "", value: "", bytes: Buffer.alloc(0) }, name, value);
}

/** The platform with these properties in place of its own, sorted by name and value, each once. */
export function withProperties(platform: Buffer, properties: readonly Property[]): Buffer {
  const unique = new Map(properties.map((property) => [`${property.name}\0${property.value}`, property]));
  const sorted = [...unique.values()].sort((a, b) => byBytes(a.name, b.name) || byBytes(a.value, b.value));
  const values = new Map([[PROPERTIES, sorted.map(({ bytes }) => bytes)]]);
  return joined(withPayloads(platform, values), platform);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
