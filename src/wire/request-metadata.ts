/** The header in which clients say who they are and what a call is for: `RequestMetadata` (D05). Read, never written: it passes as it came. */
import { decodeBinaryHeader } from "./binary-header.ts";
import { Walker, WireType } from "./walker.ts";
import { WireError } from "./wire-error.ts";

/** How a client names itself; empty where it does not. */
export interface ToolDetails {
  readonly name: string;
  readonly version: string;
}

/** Bytes of a header value that are looked at; real ones have some hundred. */
const MAX_VALUE = 16 * 1024;
const TOOL_DETAILS = 1;

/**
 * The tool that a value of the header names. Before 2.0 some clients wrote base64 themselves, which gRPC then wrote once more: both
 * are read. Null where there is none that can be read, for this is a hint and no reason to fail a call.
 */
export function readToolDetails(value: string): ToolDetails | null {
  if (value.length > MAX_VALUE) return null;
  const bytes = decoded(value);
  if (bytes === null) return null;
  const found = toolIn(bytes);
  if (found !== null) return found;
  const inner = decoded(bytes.toString("latin1"));
  return inner === null ? null : toolIn(inner);
}

function decoded(value: string): Buffer | null {
  try {
    return decodeBinaryHeader(value);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

function toolIn(message: Buffer): ToolDetails | null {
  let found: ToolDetails | null = null;
  try {
    const field = new Walker(message);
    while (field.next()) {
      if (field.number === TOOL_DETAILS && field.wireType === WireType.LEN) found = readTool(field.enter());
    }
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
  return found;
}

function readTool(field: Walker): ToolDetails {
  let name = "";
  let version = "";
  while (field.next()) {
    if (field.wireType !== WireType.LEN) continue;
    if (field.number === 1) name = field.text();
    else if (field.number === 2) version = field.text();
  }
  return { name, version };
}
