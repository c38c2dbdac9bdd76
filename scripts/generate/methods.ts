/** The method table: path → types and streaming shape, for all services of the API and of google.* that belong to it. */
import type protobuf from "protobufjs";
import { GOOGLE_SERVICES } from "./google.ts";
import { formsOf, type History } from "./history.ts";

/** The newest shape of a method; shapes never changed within the versions listed. */
interface MethodLine {
  request: string;
  response: string;
  clientStreaming: boolean;
  serverStreaming: boolean;
}

/** Builds the table, sorted by path. */
export function methodTable(history: History, google: protobuf.Root): Record<string, MethodLine> {
  const lines: [string, MethodLine][] = [];
  for (const [element, { kind, forms, ...rest }] of history.elements) {
    if (kind !== "method") continue;
    if (forms !== undefined)
      throw new Error(`${element} changed its shape, which the method table cannot say`);
    const [form] = formsOf({ kind, ...rest });
    if (form === undefined) continue;
    const { requestType: request, responseType: response, clientStreaming, serverStreaming } = form;
    lines.push([pathOf(element), { request, response, clientStreaming, serverStreaming }]);
  }
  for (const service of GOOGLE_SERVICES) {
    for (const method of google.lookupService(service).methodsArray) {
      const element = `${service}.${method.name}`;
      const request = method.resolvedRequestType?.fullName.slice(1) ?? "";
      const response = method.resolvedResponseType?.fullName.slice(1) ?? "";
      const clientStreaming = method.requestStream === true;
      const serverStreaming = method.responseStream === true;
      lines.push([pathOf(element), { request, response, clientStreaming, serverStreaming }]);
    }
  }
  return Object.fromEntries(lines.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `package.Service.Method` → `/package.Service/Method`. */
function pathOf(element: string): string {
  return `/${element.replace(/\.([^.]+)$/, "/$1")}`;
}
