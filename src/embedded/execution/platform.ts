/** The platform an action requires (D36, D37). */
import type { Messages } from "../../spec/generated/messages.ts";
import { knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";

type Platform = Messages["build.bazel.remote.execution.v2.Platform"];

/** This machine in the words of the lexicon, lower case; several where one machine answers to several names. */
const HERE: Readonly<Record<string, readonly string[]>> = {
  OSFamily: process.platform === "darwin" ? ["macos"] : [process.platform],
  ISA: { x64: ["x86-64", "x86-32"], arm64: ["arm-a64"] }[process.arch as string] ?? [process.arch],
};

/**
 * Checks the properties that the lexicon of the API defines, where the level has one: the operating system and the instruction set must be
 * those of this machine, in any case of letters. Every other property is taken as met: there is only this one worker.
 * @throws CallError FAILED_PRECONDITION: no worker has what the action requires.
 */
export function checkPlatform(platform: Platform | null, level: Level): void {
  if (platform === null || !knows(level, "behaviour:platform-lexicon")) return;
  for (const { name, value } of platform.properties) {
    const here = Object.hasOwn(HERE, name) ? HERE[name]! : null;
    if (here === null || here.includes(value.toLowerCase())) continue;
    throw new CallError(
      Status.FAILED_PRECONDITION,
      `the action requires ${name} "${value}", but the only worker, this machine, has ${here.join(" and ")}`,
    );
  }
}
