/** The schema of one level as descriptors, for reflection: what `protos/` says, without what the level lacks. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import descriptor from "protobufjs/ext/descriptor.js";
import { allElements, type ElementId, knows } from "../../spec/ledger.ts";
import { methodAt } from "../../spec/methods.ts";
import { type Level, NEWEST } from "../../spec/versions.ts";

const PROTOS = fileURLToPath(new URL("../../../protos/", import.meta.url));
const GOOGLE = dirname(createRequire(import.meta.url).resolve("google-proto-files/package.json"));

const API = "build/bazel/remote/execution/v2/remote_execution.proto";
const ASSETS = "build/bazel/remote/asset/v1/remote_asset.proto";
const OTHERS = ["google/bytestream/bytestream.proto", "google/longrunning/operations.proto"];

const ELEMENTS: ReadonlySet<string> = new Set(allElements());

/**
 * One encoded FileDescriptorProto for each package, with these methods (`/package.Service/Method`) and no others. A server with methods
 * newer than its level shows the newest schema. Takes some 50 ms.
 */
export function levelDescriptors(serverLevel: Level, methods: ReadonlySet<string>): Buffer[] {
  const paths = [...methods];
  const level = paths.every((path) => knows(serverLevel, methodAt(path)!.element)) ? serverLevel : NEWEST;
  const assets = paths.some((path) => path.startsWith("/build.bazel.remote.asset."));
  const root = load(join(PROTOS, "v2.x"), [API, ...OTHERS, ...(assets ? [ASSETS] : [])]);
  prune(root, (name) => !ELEMENTS.has(name) || knows(level, name as ElementId), methods);
  addFormerFields(level, root);
  root.resolveAll();
  return root
    .toDescriptor("proto3")
    .file!.map((file) => Buffer.from(descriptor.FileDescriptorProto.encode(file).finish()));
}

/** A FileDescriptorProto for each service, by its full name: without methods, since nothing is known of them. */
export function emptyServices(names: readonly string[]): Buffer[] {
  return names.map((full) => {
    const dot = full.lastIndexOf(".");
    const file = {
      name: `${full}.proto`,
      package: full.slice(0, dot),
      service: [{ name: full.slice(dot + 1) }],
    };
    return Buffer.from(descriptor.FileDescriptorProto.encode(file).finish());
  });
}

function load(directory: string, files: string[]): protobuf.Root {
  const root = new protobuf.Root();
  // What is in neither place, protobufjs brings along.
  root.resolvePath = (_, target) =>
    [directory, GOOGLE].map((base) => join(base, target)).find((path) => existsSync(path)) ?? target;
  return root.loadSync(files, { keepCase: true });
}

/** Removes fields and values that are not `known`, methods that are not in the list, and what is left empty by that. */
function prune(
  space: protobuf.NamespaceBase,
  known: (name: string) => boolean,
  methods: ReadonlySet<string>,
): void {
  for (const item of [...space.nestedArray]) {
    const name = item.fullName.slice(1);
    const before = sizeOf(item);
    if (item instanceof protobuf.Service) {
      for (const method of item.methodsArray)
        if (!methods.has(`/${name}/${method.name}`)) item.remove(method);
    } else if (item instanceof protobuf.Enum) {
      for (const value of Object.keys(item.values)) if (!known(`${name}.${value}`)) item.remove(value);
    } else if (item instanceof protobuf.Type) {
      for (const field of item.fieldsArray) if (!known(`${name}.${field.name}`)) item.remove(field);
      prune(item, known, methods);
    } else if (item instanceof protobuf.Namespace) {
      prune(item, known, methods);
    }
    if (before > 0 && sizeOf(item) === 0) space.remove(item);
  }
}

function sizeOf(item: protobuf.ReflectionObject): number {
  if (item instanceof protobuf.Enum) return Object.keys(item.values).length;
  if (item instanceof protobuf.Service) return item.methodsArray.length;
  const nested = item instanceof protobuf.Namespace ? item.nestedArray.length : 0;
  return item instanceof protobuf.Type ? item.fieldsArray.length + nested : nested;
}

/** Adds fields that the level has and the newest schema has no more; the schema of 2.0 has them all (D30, D31). */
function addFormerFields(level: Level, root: protobuf.Root): void {
  for (const type of typesIn(load(join(PROTOS, "v2.0"), [API]))) {
    const name = type.fullName.slice(1);
    for (const { name: fieldName, id, type: fieldType, rule } of type.fieldsArray) {
      const element = `${name}.${fieldName}`;
      const former = [`${element}@${id}`, element].find((each) => ELEMENTS.has(each));
      if (former === undefined || !knows(level, former as ElementId)) continue;
      const target = root.lookupType(name);
      if (target.fieldsById[id] !== undefined) continue;
      target.reserved = target.reserved?.filter((range) => !covers(range, id, fieldName)) ?? [];
      target.add(new protobuf.Field(fieldName, id, fieldType, rule));
    }
  }
}

function covers(range: number[] | string, id: number, name: string): boolean {
  return typeof range === "string" ? range === name : range[0]! <= id && id <= range[1]!;
}

function* typesIn(space: protobuf.NamespaceBase): Iterable<protobuf.Type> {
  for (const each of space.nestedArray) {
    if (each instanceof protobuf.Type) yield each;
    if (each instanceof protobuf.Namespace) yield* typesIn(each);
  }
}
