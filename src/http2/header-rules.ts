import type { Field } from "./hpack/field.ts";
import type { Name } from "./hpack/name.ts";

/** Which rules of RFC 9113 section 8 concern a header name; kept in `Name.role`, where 0 means not yet looked up. */
const Role = {
  REGULAR: 1,
  METHOD: 2,
  SCHEME: 3,
  AUTHORITY: 4,
  PATH: 5,
  STATUS: 6,
  UNKNOWN_PSEUDO: 7,
  CONNECTION: 8,
  TE: 9,
  CONTENT_LENGTH: 10,
} as const;

const roles: Readonly<Record<string, number>> = {
  ":method": Role.METHOD,
  ":scheme": Role.SCHEME,
  ":authority": Role.AUTHORITY,
  ":path": Role.PATH,
  ":status": Role.STATUS,
  connection: Role.CONNECTION,
  "proxy-connection": Role.CONNECTION,
  "keep-alive": Role.CONNECTION,
  "transfer-encoding": Role.CONNECTION,
  upgrade: Role.CONNECTION,
  te: Role.TE,
  "content-length": Role.CONTENT_LENGTH,
};

/** What a header list says about the body that follows it. */
export interface HeadFacts {
  /** Why the list is malformed, or null. */
  problem: string | null;
  /** The announced body length in bytes, or -1. */
  contentLength: number;
  /** The numeric `:status`, or 0. */
  status: number;
}

// Reused: one header list is checked at a time.
const facts: HeadFacts = { problem: null, contentLength: -1, status: 0 };

const REQUIRED = (1 << Role.METHOD) | (1 << Role.SCHEME) | (1 << Role.PATH);
const CONNECT_REQUIRED = (1 << Role.METHOD) | (1 << Role.AUTHORITY);
const REQUEST_PSEUDO = REQUIRED | (1 << Role.AUTHORITY);

/** Checks a request's header list (RFC 9113 sections 8.2 and 8.3.1). The result is valid until the next check. */
export function checkRequest(fields: readonly Field[]): HeadFacts {
  const seen = check(fields, REQUEST_PSEUDO);
  if (facts.problem !== null) return facts;
  if ((seen & REQUIRED) !== REQUIRED) {
    const connect =
      seen === CONNECT_REQUIRED && fields.some((f) => f.name.role === Role.METHOD && f.value === "CONNECT");
    if (!connect) facts.problem = "a request without :method, :scheme or :path";
  } else if (fields.some((f) => f.name.role === Role.PATH && f.valueLength === 0)) {
    facts.problem = "an empty :path";
  }
  return facts;
}

/** Checks a response's header list (RFC 9113 sections 8.2 and 8.3.2). The result is valid until the next check. */
export function checkResponse(fields: readonly Field[]): HeadFacts {
  const seen = check(fields, 1 << Role.STATUS);
  if (facts.problem !== null) return facts;
  if ((seen & (1 << Role.STATUS)) === 0) {
    facts.problem = "a response without :status";
    return facts;
  }
  for (const field of fields) {
    if (field.name.role !== Role.STATUS) continue;
    // HTTP/2 has no upgrades, hence no 101 (section 8.6).
    facts.status = statusOf(field.value);
    if (Number.isNaN(facts.status) || facts.status === 101)
      facts.problem = `the :status "${field.value.slice(0, 20)}"`;
    break;
  }
  return facts;
}

/** Checks trailers, which have no pseudo-headers (RFC 9113 section 8.1). The result is valid until the next check. */
export function checkTrailers(fields: readonly Field[]): HeadFacts {
  check(fields, 0);
  return facts;
}

function check(fields: readonly Field[], allowed: number): number {
  facts.problem = null;
  facts.contentLength = -1;
  facts.status = 0;
  let seen = 0;
  let regular = false;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    const role = field.name.role || learn(field.name);
    if (role === Role.REGULAR) {
      regular = true;
    } else if (role <= Role.UNKNOWN_PSEUDO) {
      const bit = 1 << role;
      if ((allowed & bit) === 0)
        facts.problem = `the pseudo-header ${field.name.text}, which does not belong there`;
      else if (regular) facts.problem = `${field.name.text} after ordinary headers`;
      else if ((seen & bit) !== 0) facts.problem = `${field.name.text} twice`;
      seen |= bit;
    } else {
      regular = true;
      checkSpecial(role, field);
    }
  }
  return seen;
}

function checkSpecial(role: number, field: Field): void {
  if (role === Role.CONNECTION) {
    facts.problem = `the header ${field.name.text}, which belongs to HTTP/1`;
  } else if (role === Role.TE) {
    if (field.value.toLowerCase() !== "trailers") facts.problem = "a te header other than trailers";
  } else {
    const { value } = field;
    const length = /^\d{1,15}$/.test(value) ? Number(value) : -1;
    if (length < 0 || (facts.contentLength >= 0 && facts.contentLength !== length)) {
      facts.problem = "a content-length that is no number, or two that differ";
    }
    facts.contentLength = length;
  }
}

function learn(name: Name): number {
  name.role = roles[name.text] ?? (name.pseudo ? Role.UNKNOWN_PSEUDO : Role.REGULAR);
  return name.role;
}

/** Three digits as a number from 100; NaN for anything else. */
function statusOf(text: string): number {
  if (text.length !== 3) return Number.NaN;
  const hundreds = text.charCodeAt(0) - 48;
  const tens = text.charCodeAt(1) - 48;
  const ones = text.charCodeAt(2) - 48;
  const legal = hundreds >= 1 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
  return legal ? hundreds * 100 + tens * 10 + ones : Number.NaN;
}
