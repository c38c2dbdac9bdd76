/** Kinds of values that facts of servers and of clients share. */
import { allMethods } from "../spec/methods.ts";
import { DIGEST_FUNCTIONS } from "../wire/digest-function.ts";
import { Status } from "../wire/status.ts";
import { choice, text } from "./profile-kinds.ts";

/** Names of all status codes but OK. */
export const STATUS_NAMES = Object.keys(Status).filter((name) => name !== "OK") as readonly Exclude<
  keyof typeof Status,
  "OK"
>[];

/** An API version as peers state it; numbers that no level has are allowed, since there are such peers. */
export const semVer = text(/^\d+\.\d+(\.\d+)?$/);

/** Name of a digest function. */
export const functionName = choice(...DIGEST_FUNCTIONS.map(({ name }) => name));

const METHODS = [...allMethods()].map(({ path }) => path.replace(/^.*\.(?=\w+\/)/, ""));

/** A method as profiles write it, without its package: `ContentAddressableStorage/GetTree`, or `Fetch/*` for all of a service. */
export const methodName = choice(
  ...METHODS,
  ...new Set(METHODS.map((method) => method.replace(/\/.*/, "/*"))),
);
