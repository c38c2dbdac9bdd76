import { formatAddress, parseAddress } from "./address.ts";
import type { Kind } from "./kinds.ts";
import type { Address } from "./types.ts";
import { ValueError } from "./value-error.ts";

/** A DNS name, or an authority with a port. */
export const hostName: Kind<string> = {
  placeholder: "NAME",
  schema: { type: "string", minLength: 1 },
  parse(text) {
    if (!/^[A-Za-z0-9._:[\]-]+$/.test(text))
      throw new ValueError("must be a host name, with a port if need be");
    return text;
  },
};

/** A known client or server: `bazel`, `buildbarn@2026-03-26`. Whether there is such a one, the profiles tell later. */
export const profileName: Kind<string> = {
  placeholder: "NAME",
  schema: { type: "string", minLength: 1 },
  parse(text) {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*(@[0-9A-Za-z.+-]+)?$/.test(text)) {
      throw new ValueError("must be the name of a profile, such as buildbarn or buildbarn@2026-03-26");
    }
    return text;
  },
};

/** Where to listen. */
export const listenAddress: Kind<Address> = {
  placeholder: "ADDRESS",
  schema: { type: "string", minLength: 1 },
  parse(text) {
    if (/^grpcs:/.test(text))
      throw new ValueError("takes no grpcs://; TLS is turned on by --tls-cert and --tls-key");
    return parseAddress(text.replace(/^grpc:\/\//, ""));
  },
};

/** Where to listen, or nowhere. */
export const listenAddressOrOff: Kind<Address | null> = {
  placeholder: "ADDRESS|off",
  schema: { type: "string", minLength: 1 },
  parse: (text) => (text === "off" ? null : parseAddress(text)),
};

/** The base of the plain HTTP requests that are passed on: `http://HOST[:PORT][/PATH]`, as its canonical URL. */
export const httpUrl: Kind<string> = {
  placeholder: "URL",
  schema: { type: "string", pattern: "^http://" },
  parse(text) {
    const url = URL.parse(text);
    if (url === null || url.protocol !== "http:" || url.hostname === "") {
      throw new ValueError("must be http://HOST:PORT, with a path if need be");
    }
    if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
      throw new ValueError("must have no user, query or fragment");
    }
    return url.href.replace(/\/$/, "");
  },
};

/** What `--upstream` names: a server at an address, with or without TLS, or the embedded server. */
export type UpstreamName =
  | {
      readonly kind: "address";
      readonly address: Address;
      readonly secure: boolean;
      readonly display: string;
    }
  | EmbeddedName;

/** What the embedded server is to play: a level of the API, or a server by the name of its profile, which nobody has looked up yet. */
type EmbeddedName =
  | { readonly kind: "embedded"; readonly level: string }
  | { readonly kind: "embedded"; readonly server: string };

/** The levels the embedded server can play, oldest first; the last is the default. */
export const EMBEDDED_LEVELS: readonly string[] = [
  "2018-11",
  ...Array.from({ length: 13 }, (_, minor) => `2.${minor}`),
  "main",
];

function embedded(text: string): EmbeddedName {
  if (EMBEDDED_LEVELS.includes(text)) return { kind: "embedded", level: text };
  if (/^[a-z][a-z0-9-]*(@[\d.-]+)?$/.test(text)) return { kind: "embedded", server: text };
  const levels = EMBEDDED_LEVELS.join(", ");
  throw new ValueError(`names the level "${text}"; levels are ${levels}, servers as in buildbarn@2026-03-26`);
}

/** The server behind the bridge. */
export const upstreamName: Kind<UpstreamName> = {
  placeholder: "ADDRESS",
  schema: { type: "string", minLength: 1 },
  parse(text) {
    const inside = /^embedded(?::(.*))?$/.exec(text);
    if (inside !== null) return embedded(inside[1] ?? EMBEDDED_LEVELS.at(-1)!);
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(text)?.[1];
    if (scheme !== undefined && !["grpc", "grpcs", "unix"].includes(scheme)) {
      throw new ValueError(`starts with ${scheme}://; use grpc:// (plain), grpcs:// (TLS) or unix:`);
    }
    const secure = scheme === "grpcs";
    const rest = scheme === "unix" ? text : text.replace(/^grpcs?:\/\//, "").replace(/\/$/, "");
    const address = parseAddress(rest, secure ? 443 : undefined);
    if (address.kind === "tcp" && address.port === 0) throw new ValueError("needs a port other than 0");
    return {
      kind: "address",
      address,
      secure,
      display: `${secure ? "grpcs://" : ""}${formatAddress(address)}`,
    };
  },
};
