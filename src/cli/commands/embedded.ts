import { once } from "node:events";
import { resolve } from "node:path";
import { parseAddress } from "../../config/address.ts";
import { EMBEDDED_LEVELS } from "../../config/place-kinds.ts";
import { StartError } from "../../config/start-error.ts";
import type { Address } from "../../config/types.ts";
import { ValueError } from "../../config/value-error.ts";
import { type EmbeddedServer, ListenError, startEmbedded } from "../../embedded/server.ts";
import { type Command, type GivenFlags, UsageError } from "../command.ts";

const NEWEST = EMBEDDED_LEVELS.at(-1)!;
const LISTEN = "127.0.0.1:8980";

const ABOUT = `\
Runs a small server of the Remote Execution API: blobs, action cache and execution, as a server of the chosen
level of the API has them. It is there to try the bridge and to test clients, not to build for a company.

  reapi-bridge embedded --level 2.0
  bazel build --remote_executor=grpc://${LISTEN} //...

IT IS NO SANDBOX: it runs the commands that clients send with the rights of whoever started it, for anybody
who can reach its port. Keep it on 127.0.0.1, or behind something that lets in only whom you trust.

Nothing that is stored is ever removed while it runs. Files in DIR survive its end, however sudden; one
server at a time may use a DIR.`;

/** `reapi-bridge embedded`: runs the embedded server until it is told to stop. */
export const command: Command = {
  name: "embedded",
  summary: "run a small server of a chosen API level, to try things with; it is no sandbox",
  about: ABOUT,
  flags: [
    {
      name: "level",
      value: "LEVEL",
      help: `The level of the API to play: ${EMBEDDED_LEVELS.join(", ")} (default ${NEWEST})`,
      accepts: EMBEDDED_LEVELS,
    },
    { name: "listen", value: "HOST:PORT", help: `Where clients connect, or unix:PATH (default ${LISTEN})` },
    { name: "dir", value: "DIR", help: "Keep blobs and results in this directory, which is made if need be" },
    { name: "memory", help: "Keep blobs and results in memory (the default)" },
  ],
  async run({ flags, print, stop }) {
    const level = flags.get("level")?.[0] ?? NEWEST;
    const dir = directoryFrom(flags);
    const server = await start(level, listenFrom(flags), dir);
    print(
      `embedded server of API level ${level} listens on ${server.address}, keeping ${dir ?? "all in memory"}\n`,
    );
    print("it runs the commands of its clients with your rights: it is no sandbox\n");
    if (!stop.aborted) await once(stop, "abort");
    await server.stop();
    return 0;
  },
};

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

async function start(level: string, listen: Address, dir: string | null): Promise<EmbeddedServer> {
  try {
    return await startEmbedded({ level, listen, dir });
  } catch (error) {
    if (error instanceof ListenError)
      throw new StartError("listen", `--listen: ${error.message}`, { cause: error });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new StartError("config", `--dir: the directory cannot be used: ${message}`, { cause: error });
  }
}
