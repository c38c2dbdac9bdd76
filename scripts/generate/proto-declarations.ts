/** What one package declares in one version, and its text as protobuf source. */
import { type Form, formAt, type History } from "./history.ts";
import type { CommentSource } from "./proto-comments.ts";

/** A field, enum value or method: its full name, and its form in this version. */
export interface Member {
  name: string;
  form: Form;
  deprecated: boolean;
}

/** A service, message or enum with all that is inside it. */
export interface Declaration {
  name: string;
  kind: "service" | "message" | "enum";
  members: Member[];
  /** Inclusive ranges of reserved numbers. */
  reserved: [number, number][];
  nested: Declaration[];
}

const KIND_ORDER = ["service", "message", "enum"];

/** The top-level declarations of a package: services, then messages, then enums, each by name. */
export function declarations(history: History, version: string, packageName: string): Declaration[] {
  const all = new Map<string, Declaration>();
  for (const [name, element] of history.elements) {
    const kind = formAt(history, element, version)?.kind;
    if (!name.startsWith(`${packageName}.`) || !(kind === "service" || kind === "message" || kind === "enum"))
      continue;
    const reserved = element.reserved?.find((range) =>
      formAt(history, { ...element, forms: [range] }, version),
    );
    all.set(name, { name, kind, members: [], reserved: reserved?.ranges ?? [], nested: [] });
  }
  for (const [name, element] of history.elements) {
    const form = formAt(history, element, version);
    const owner = all.get(element.message ?? element.enum ?? element.service ?? "");
    if (form === null || owner === undefined) continue;
    const since = element.deprecatedOptionSince;
    const deprecated = since !== undefined && history.rank(since) <= history.rank(version);
    owner.members.push({ name, form, deprecated });
  }
  const top: Declaration[] = [];
  for (const declaration of all.values()) {
    declaration.members.sort((a, b) => (a.form.number ?? 0) - (b.form.number ?? 0));
    const parent = all.get(declaration.name.replace(/\.[^.]+$/, ""));
    (parent?.nested ?? top).push(declaration);
  }
  const order = (a: Declaration, b: Declaration): number =>
    KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind) || (a.name < b.name ? -1 : 1);
  for (const { nested } of all.values()) nested.sort(order);
  return top.sort(order);
}

/** The declarations as text, a blank line between them, a line break at the end. */
export function printDeclarations(list: Declaration[], comments: CommentSource): string {
  return list
    .map((declaration) => `${print(declaration, packageOf(declaration), comments).join("\n")}\n`)
    .join("\n");
}

function print(declaration: Declaration, packageName: string, comments: CommentSource): string[] {
  const inner: string[] = [];
  for (const nested of declaration.nested) inner.push(...print(nested, packageName, comments), "");
  const reserved = declaration.reserved.map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`));
  if (reserved.length > 0) inner.push(`reserved ${reserved.join(", ")};`);
  for (const member of declaration.members) {
    inner.push(...commentLine(comments.member(member, declaration)), printMember(member, packageName));
  }
  if (inner.at(-1) === "") inner.pop();
  const head = `${declaration.kind} ${last(declaration.name)}`;
  const body = inner.length === 0 ? [`${head} {}`] : [`${head} {`, ...inner.map(indent), "}"];
  return [...commentLine(comments.declaration(declaration)), ...body];
}

function commentLine(text: string | null): string[] {
  return text === null ? [] : [`// ${text}`];
}

function printMember({ name: fullName, form, deprecated }: Member, packageName: string): string {
  const name = last(fullName);
  const local = (type: string): string =>
    type.startsWith(`${packageName}.`) ? type.slice(packageName.length + 1) : type;
  if (form.kind === "enumValue") return `${name} = ${form.number};`;
  if (form.kind === "method") {
    const request = (form.clientStreaming ? "stream " : "") + local(form.requestType);
    const response = (form.serverStreaming ? "stream " : "") + local(form.responseType);
    return `rpc ${name}(${request}) returns (${response});`;
  }
  const type = form.label === "map" ? `map<${form.keyType}, ${local(form.type)}>` : local(form.type);
  const label = form.label === "repeated" ? "repeated " : "";
  return `${label}${type} ${name} = ${form.number}${deprecated ? " [deprecated = true]" : ""};`;
}

function packageOf(declaration: Declaration): string {
  return declaration.name.replace(/\.[^.]+$/, "");
}

function last(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function indent(line: string): string {
  return line === "" ? "" : `  ${line}`;
}
