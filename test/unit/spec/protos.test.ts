/** What the published `.proto` files define, compared with the schema history; read with protobufjs' own parser. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";

/** The history as it is in the file; on purpose not read through the generator. */
interface Range {
  from: string;
  to: string | null;
}
interface Fact {
  kind: string;
  introduced: string;
  lastPresent: string | null;
  deprecatedOptionSince?: string;
  reserved?: (Range & { ranges: [number, number][] })[];
  forms?: (Range & Partial<Fact>)[];
  number: number;
  type: string;
  label: string;
  keyType?: string;
  packed?: boolean;
  path: string;
  requestType: string;
  responseType: string;
  clientStreaming: boolean;
  serverStreaming: boolean;
}
interface History {
  packages: string[];
  versions: { id: string }[];
  elements: Record<string, Fact>;
}

const history: History = JSON.parse(
  readFileSync(new URL("../../../spec-data/schema-history.json", import.meta.url), "utf8"),
);
const order = history.versions.map(({ id }) => id);
const google = dirname(createRequire(import.meta.url).resolve("google-proto-files/package.json"));

/** One line for each thing that is declared, such as `field …Action.salt = 9 bytes`. */
function expected(version: string): string[] {
  const at = order.indexOf(version);
  const holds = (form: Range): boolean =>
    order.indexOf(form.from) <= at && (form.to === null || at <= order.indexOf(form.to));
  const lines: string[] = [];
  for (const [name, element] of Object.entries(history.elements)) {
    if (!holds({ from: element.introduced, to: element.lastPresent })) continue;
    const form = { ...element, ...element.forms?.find(holds) };
    if (form.kind === "service") lines.push(`service ${name}`);
    if (form.kind === "enum") lines.push(`enum ${name}`);
    if (form.kind === "enumValue") lines.push(`value ${name} = ${form.number}`);
    if (form.kind === "message") {
      const reserved = element.reserved?.find(holds)?.ranges ?? [];
      lines.push(`message ${name} reserved ${JSON.stringify(reserved)}`);
    }
    if (form.kind === "method") {
      const shape = `${form.clientStreaming ? "stream " : ""}${form.requestType} → ${form.serverStreaming ? "stream " : ""}${form.responseType}`;
      lines.push(`method ${form.path}: ${shape}`);
    }
    if (form.kind === "field") {
      const type = form.label === "map" ? `map<${form.keyType}, ${form.type}>` : form.type;
      const deprecated =
        element.deprecatedOptionSince !== undefined && order.indexOf(element.deprecatedOptionSince) <= at;
      lines.push(
        `field ${name} = ${form.number} ${form.label} ${type}${form.packed ? " packed" : ""}${deprecated ? " deprecated" : ""}`,
      );
    }
  }
  return lines.sort();
}

/** The same lines, from the files in a folder. */
function declared(folder: string): string[] {
  const base = fileURLToPath(new URL(`../../../${folder}/`, import.meta.url));
  const own = readdirSync(base, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".proto"),
  );
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(own.includes(target) ? base : google, target);
  root.loadSync(own, { keepCase: true }).resolveAll();
  const lines: string[] = [];
  const visit = (object: protobuf.ReflectionObject): void => {
    const name = object.fullName.slice(1);
    if (object instanceof protobuf.Service)
      lines.push(`service ${name}`, ...object.methodsArray.map(methodLine));
    if (object instanceof protobuf.Enum) {
      lines.push(`enum ${name}`);
      for (const [value, number] of Object.entries(object.values))
        lines.push(`value ${name}.${value} = ${number}`);
    }
    if (object instanceof protobuf.Type) {
      lines.push(`message ${name} reserved ${JSON.stringify(object.reserved ?? [])}`);
      lines.push(...object.fieldsArray.map(fieldLine));
      assert.deepEqual(object.oneofsArray, [], `${name} has no oneof in the history`);
    }
    if (object instanceof protobuf.Namespace) for (const nested of object.nestedArray) visit(nested);
  };
  visit(root.lookup("build") as protobuf.Namespace);
  return lines.sort();
}

function methodLine(method: protobuf.Method): string {
  const request = `${method.requestStream ? "stream " : ""}${method.resolvedRequestType?.fullName.slice(1)}`;
  const response = `${method.responseStream ? "stream " : ""}${method.resolvedResponseType?.fullName.slice(1)}`;
  return `method /${method.parent?.fullName.slice(1)}/${method.name}: ${request} → ${response}`;
}

function fieldLine(field: protobuf.Field): string {
  const type = field.resolvedType?.fullName.slice(1) ?? field.type;
  const isMap = field instanceof protobuf.MapField;
  const label = isMap ? "map" : field.repeated ? "repeated" : "singular";
  const packed = field.repeated && !isMap && field.packed && isPackable(field) ? " packed" : "";
  const { deprecated } = field.options ?? {};
  return `field ${field.fullName.slice(1)} = ${field.id} ${label} ${isMap ? `map<${field.keyType}, ${type}>` : type}${packed}${deprecated ? " deprecated" : ""}`;
}

function isPackable(field: protobuf.Field): boolean {
  return field.resolvedType instanceof protobuf.Enum || Object.hasOwn(protobuf.types.packed, field.type);
}

describe("protos", () => {
  it("v2.0 declares exactly the schema of tag v2.0.0", () => {
    assert.deepEqual(declared("protos/v2.0"), expected("2.0"));
  });

  it("v2.x declares exactly the newest schema, in all packages", () => {
    const lines = declared("protos/v2.x");
    assert.deepEqual(lines, expected("main"));
    for (const name of history.packages) {
      assert.ok(
        lines.some((line) => line.includes(` ${name}.`)),
        `${name} is declared`,
      );
    }
  });

  it("the two differ where the history says so", () => {
    const [old, newest] = [declared("protos/v2.0"), declared("protos/v2.x")];
    const properties = "build.bazel.remote.execution.v2.Directory.node_properties";
    assert.ok(old.includes(`field ${properties} = 4 repeated build.bazel.remote.execution.v2.NodeProperty`));
    assert.ok(
      newest.includes(`field ${properties} = 5 singular build.bazel.remote.execution.v2.NodeProperties`),
    );
  });
});
