import { once } from "node:events";
import { resolve } from "node:path";
import { parseAddress } from "../../config/address.ts";
import { EMBEDDED_LEVELS } from "../../config/place-kinds.ts";
import { StartError } from "../../config/start-error.ts";
import type { Address } from "../../config/types.ts";
import { ValueError } from "../../config/value-error.ts";
import {
  type EmbeddedOptions,
  type EmbeddedRole,
  type EmbeddedServer,
  ListenError,
  startEmbedded,
} from "../../embedded/server.ts";
import type { ResolvedServer } from "../../peers/profile.ts";
import { readProfile, shippedProfiles } from "../../peers/read-profile.ts";
import { type Command, type GivenFlags, UsageError } from "../command.ts";

const NEWEST = EMBEDDED_LEVELS.at(-1)!;
const LISTEN = "127.0.0.1:8980";

const ABOUT = `\
Runs a small server of the Remote Execution API: blobs, action cache and execution, as a server of the chosen
level of the API has them, or as a known server does. It is there to try the bridge and to test clients, not
to build for a company.

  reapi-bridge embedded --level 2.0
  reapi-bridge embedded --as buildbarn@2026-03-26
  bazel build --remote_executor=grpc://${LISTEN} //...

IT IS NO SANDBOX: it runs the commands that clients send with the rights of whoever started it, for anybody
who can reach its port. Keep it on 127.0.0.1, or behind something that lets in only whom you trust.

Nothing that is stored is ever removed while it runs. Files in DIR survive its end, however sudden; one
server at a time may use a DIR.`;

/** `reapi-bridge embedded`: runs the embedded server until it is told to stop. */
export const command: Command = {
  name: "embedded",
  summary: "run a small server of a chosen API level, or one that plays a known server; it is no sandbox",
  about: ABOUT,
  flags: [
    {
      name: "level",
      value: "LEVEL",
      help: `The level of the API to play: ${EMBEDDED_LEVELS.join(", ")} (default ${NEWEST})`,
      accepts: EMBEDDED_LEVELS,
    },
    {
      name: "as",
      value: "SERVER",
      help: "The server to play, by the name of its profile and a version or date: buildfarm@2.15, nativelink@1.6",
    },
    {
      name: "profile",
      value: "FILE",
      help: "A profile of your own that --as may name (repeatable)",
      repeatable: true,
    },
    {
      name: "instance",
      value: "NAME",
      help: "With --as: an instance it is set up with, where it has only such (repeatable; default the one without a name)",
      repeatable: true,
    },
    {
      name: "platform",
      value: "NAME=VALUE",
      help: "With --as: a property of the worker, where it matters (repeatable; default the operating system: OSFamily=linux)",
      repeatable: true,
    },
    {
      name: "optional",
      help: "With --as: bring what only configuration of that server brings, such as optional methods",
    },
    { name: "listen", value: "HOST:PORT", help: `Where clients connect, or unix:PATH (default ${LISTEN})` },
    { name: "dir", value: "DIR", help: "Keep blobs and results in this directory, which is made if need be" },
    { name: "memory", help: "Keep blobs and results in memory (the default)" },
  ],
  async run({ flags, print, stop }) {
    const role = roleFrom(flags);
    const dir = directoryFrom(flags);
    const server = await start({ ...role, listen: listenFrom(flags), dir });
    const played = role.as === undefined ? `of API level ${role.level}` : `playing ${nameOf(role.as)}`;
    print(`embedded server ${played} listens on ${server.address}, keeping ${dir ?? "all in memory"}\n`);
    print("it runs the commands of its clients with your rights: it is no sandbox\n");
    if (!stop.aborted) await once(stop, "abort");
    await server.stop();
    return 0;
  },
};

/** What is to be played. */
function roleFrom(flags: GivenFlags): EmbeddedRole {
  const [level] = flags.get("level") ?? [];
  const [name] = flags.get("as") ?? [];
  if (name === undefined) {
    const useless = ["profile", "instance", "platform", "optional"].find((flag) => flags.has(flag));
    if (useless !== undefined) throw new UsageError(`--${useless} means nothing without --as`);
    return { level: level ?? NEWEST };
  }
  if (level !== undefined) throw new UsageError("--as and --level exclude each other");
  const instances = flags.get("instance");
  const worker = flags.get("platform");
  return {
    as: serverFrom(name, flags.get("profile") ?? []),
    setup: {
      optional: flags.get("optional")?.[0] === "true",
      ...(instances && { instances }),
      ...(worker && { worker: Object.fromEntries(worker.map(propertyIn)) }),
    },
  };
}

function serverFrom(name: string, files: readonly string[]): ResolvedServer {
  const known = files.reduce((catalogue, file) => readProfile(file, catalogue), shippedProfiles());
  try {
    return known.resolve("server", name);
  } catch (error) {
    if (error instanceof RangeError)
      throw new StartError("config", `--as: ${error.message}`, { cause: error });
    throw error;
  }
}

function propertyIn(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(`--platform: must be NAME=VALUE (got "${text}")`);
}

/** The server for people: `Buildbarn from 2026-03-26`. */
function nameOf({ title, range }: ResolvedServer): string {
  return `${title} ${range}`.trim();
}

function directoryFrom(flags: GivenFlags): string | null {
  const dir = flags.get("dir")?.[0];
  const memory = flags.get("memory")?.[0] === "true";
  if (dir !== undefined && memory) throw new UsageError("--dir and --memory exclude each other");
  return dir === undefined ? null : resolve(dir);
}

function listenFrom(flags: GivenFlags): Address {
  const text = flags.get("listen")?.[0] ?? LISTEN;
  try {
    return parseAddress(text);
  } catch (error) {
    if (error instanceof ValueError) throw new StartError("config", error.sentence("--listen", text));
    throw error;
  }
}

async function start(options: EmbeddedOptions): Promise<EmbeddedServer> {
  try {
    return await startEmbedded(options);
  } catch (error) {
    if (error instanceof ListenError)
      throw new StartError("listen", `--listen: ${error.message}`, { cause: error });
    if (error instanceof RangeError)
      throw new StartError("config", `--as: ${error.message}`, { cause: error });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new StartError("config", `--dir: the directory cannot be used: ${message}`, { cause: error });
  }
}
