/** The parts of the google.* packages that the bridge opens, taken from the google-proto-files package. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import protobuf from "protobufjs";

/** Services whose methods the bridge and the embedded server speak beside the Remote Execution API. */
export const GOOGLE_SERVICES = ["google.bytestream.ByteStream", "google.longrunning.Operations"];

const FILES = [
  "google/bytestream/bytestream.proto",
  "google/longrunning/operations.proto",
  "google/rpc/status.proto",
  "google/rpc/error_details.proto",
  "google/protobuf/wrappers.proto",
  "google/protobuf/timestamp.proto",
];

/** Messages nothing else refers to, but which travel inside google.protobuf.Any or a status. */
const EXTRA_MESSAGES = [
  "google.rpc.Status",
  "google.rpc.ErrorInfo",
  "google.rpc.BadRequest",
  "google.rpc.PreconditionFailure",
  "google.rpc.RetryInfo",
  "google.protobuf.Any",
  "google.protobuf.Duration",
  "google.protobuf.Timestamp",
  "google.protobuf.UInt32Value",
];

/** Parses the google.* files as published; the root is resolved. */
export function loadGoogle(): protobuf.Root {
  const base = dirname(createRequire(import.meta.url).resolve("google-proto-files/package.json"));
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(base, target);
  root.loadSync(FILES, { keepCase: true });
  root.resolveAll();
  return root;
}

/** Every message of {@link GOOGLE_SERVICES} and the extra list, with all they refer to, sorted by name. */
export function googleMessages(root: protobuf.Root): protobuf.Type[] {
  const found = new Map<string, protobuf.Type>();
  const visit = (type: protobuf.Type): void => {
    const name = type.fullName.slice(1);
    if (found.has(name)) return;
    found.set(name, type);
    for (const field of type.fieldsArray) {
      const { proto3_optional: optional } = field.options ?? {};
      if (optional) throw new Error(`${name}.${field.name}: optional is not handled`);
      if (field.resolvedType instanceof protobuf.Type) visit(field.resolvedType);
    }
    // Nested messages belong to their parent even where no field names them.
    for (const nested of type.nestedArray) if (nested instanceof protobuf.Type) visit(nested);
  };
  for (const name of GOOGLE_SERVICES) {
    for (const method of root.lookupService(name).methodsArray) {
      visit(method.resolvedRequestType as protobuf.Type);
      visit(method.resolvedResponseType as protobuf.Type);
    }
  }
  for (const name of EXTRA_MESSAGES) visit(root.lookupType(name));
  return [...found.values()].sort((a, b) => (a.fullName < b.fullName ? -1 : 1));
}
