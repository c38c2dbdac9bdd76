/** The `.proto` files of one version: which packages, where, and what they import. */

import { formAt, type History } from "./history.ts";
import type { CommentSource } from "./proto-comments.ts";
import { type Declaration, declarations, printDeclarations } from "./proto-declarations.ts";

const FILES: Record<string, string> = {
  "build.bazel.remote.asset.v1": "build/bazel/remote/asset/v1/remote_asset.proto",
  "build.bazel.remote.execution.v2": "build/bazel/remote/execution/v2/remote_execution.proto",
  "build.bazel.remote.logstream.v1": "build/bazel/remote/logstream/v1/remote_logstream.proto",
  "build.bazel.semver": "build/bazel/semver/semver.proto",
};

const GOOGLE_FILES: Record<string, string> = {
  "google.longrunning.Operation": "google/longrunning/operations.proto",
  "google.protobuf.Any": "google/protobuf/any.proto",
  "google.protobuf.Duration": "google/protobuf/duration.proto",
  "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
  "google.protobuf.UInt32Value": "google/protobuf/wrappers.proto",
  "google.rpc.Status": "google/rpc/status.proto",
};

/** Path → text of every file of a version. A package that has nothing in that version has no file. */
export function protoFiles(
  history: History,
  version: string,
  comments: CommentSource,
): Record<string, string> {
  const files: Record<string, string> = {};
  for (const packageName of history.packages) {
    const path = FILES[packageName];
    if (path === undefined) throw new Error(`no file name is known for package ${packageName}`);
    const body = declarations(history, version, packageName);
    if (body.length > 0) files[path] = fileText(history, version, packageName, body, comments);
  }
  return files;
}

function fileText(
  history: History,
  version: string,
  packageName: string,
  body: Declaration[],
  comments: CommentSource,
): string {
  const imports = importsOf(history, version, packageName).map((path) => `import "${path}";\n`);
  const state = history.versions.find(({ id }) => id === version);
  return `// ${packageName}, state of ${state?.tag ?? state?.id} (${state?.date}).
// Written by scripts/generate.ts from spec-data; do not edit. D24 and the like are drift items: see spec-data/drift.json.

syntax = "proto3";

package ${packageName};
${imports.length > 0 ? `\n${imports.join("")}` : ""}
${printDeclarations(body, comments)}`;
}

function importsOf(history: History, version: string, packageName: string): string[] {
  const paths = new Set<string>();
  for (const [name, element] of history.elements) {
    const form = name.startsWith(`${packageName}.`) ? formAt(history, element, version) : null;
    if (form === null) continue;
    for (const type of [form.type, form.requestType, form.responseType]) {
      if (!type?.includes(".") || type.startsWith(`${packageName}.`)) continue;
      const own = history.packages.find((other) => type.startsWith(`${other}.`));
      const path = own === undefined ? GOOGLE_FILES[type] : FILES[own];
      if (path === undefined) throw new Error(`no file is known that declares ${type}`);
      paths.add(path);
    }
  }
  return [...paths].sort();
}
