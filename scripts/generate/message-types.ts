/** TypeScript types of all messages, as the codec hands them out: one interface each, over all versions. */
import type { CodecField, CodecSchema } from "./codec-schema.ts";

const SCALARS: Record<string, string> = {
  bool: "boolean",
  bytes: "Uint8Array",
  double: "number",
  float: "number",
  int32: "number",
  int64: "bigint",
  string: "string",
  uint32: "number",
  uint64: "bigint",
};

/** The text of `src/spec/generated/messages.ts`. */
export function messageTypes(schema: CodecSchema): string {
  const names = new Map<string, string>();
  for (const full of Object.keys(schema)) {
    const local = interfaceName(full);
    if ([...names.values()].includes(local)) throw new Error(`two messages would be called ${local}`);
    names.set(full, local);
  }
  const interfaces = Object.entries(schema).map(([full, fields]) => {
    const lines = fields.map((field) => `  ${field.name}: ${fieldType(field, names)};${versions(field)}`);
    return `interface ${names.get(full)} {\n${lines.join("\n")}\n}\n`.replace("{\n\n}", "{}");
  });
  const table = [...names].map(([full, local]) => `  "${full}": ${local};`);
  return `// Written by scripts/generate.ts from spec-data; do not edit.

${interfaces.join("\n")}
/** Every message the codec knows, by full name. Fields of all versions; one the codec's level lacks reads as its default. */
export interface Messages {
${table.join("\n")}
}
`;
}

/** `build.bazel.remote.execution.v2.BatchReadBlobsResponse.Response` → `BatchReadBlobsResponse_Response`. */
function interfaceName(full: string): string {
  const parts = full.split(".");
  return parts.slice(parts.findIndex((part) => /^[A-Z]/.test(part))).join("_");
}

function fieldType(field: CodecField, names: Map<string, string>): string {
  const message = names.get(field.type);
  const type = message ?? SCALARS[field.type];
  if (type === undefined)
    throw new Error(`field ${field.name} has a type without a TypeScript form: ${field.type}`);
  if (field.label === "map") return `Record<string, ${type}>`;
  if (field.label === "repeated") return `${type}[]`;
  return message === undefined ? type : `${type} | null`;
}

function versions(field: CodecField): string {
  if (field.since === undefined || (field.since === "2018-11" && field.until === undefined)) return "";
  return field.until === undefined
    ? ` // since ${field.since}`
    : ` // ${field.since} to before ${field.until}`;
}
