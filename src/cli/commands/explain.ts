import { explain } from "../../plan/explain.ts";
import { happens } from "../../plan/explain-rows.ts";
import { Planner } from "../../plan/planner.ts";
import { TRANSLATORS } from "../../translators/registry.ts";
import { type Command, type GivenFlags, UsageError } from "../command.ts";
import { backgroundOf, clientCalled, serverCalled } from "../explain/peers.ts";
import { renderExplanation } from "../explain/render.ts";
import { paperOf } from "../paper.ts";

const ABOUT = `\
Tells what the bridge does between a client and a server: which API versions the client is told, what passes,
what is translated, what is refused and how that is known, and what to do about it.

  reapi-bridge explain --client buck2 --server buildbarn@2026-03-26
  reapi-bridge explain --client bazel@8.1 --server grpcs://remote.example.com --instance main
  reapi-bridge explain --client 2.3 --server 2.0 --all

A client is a profile (docs/profiles.md) or a level of the API. A server is one of these too, or an address,
which is asked what it is; nothing of that changes anything there. What it does not tell is assumed.`;

/** `reapi-bridge explain`: exit code 0 whatever comes out, as long as there is something to explain. */
export const command: Command = {
  name: "explain",
  summary: "tell what happens between a client and a server: what passes, is translated or refused",
  about: ABOUT,
  flags: [
    {
      name: "client",
      value: "NAME",
      help: "A profile, such as bazel@8.1, or a level, such as 2.3 or 2018-11",
    },
    {
      name: "server",
      value: "NAME|ADDRESS",
      help: "A profile, a level, or where a server listens; without it the upstream of the configuration",
    },
    {
      name: "instance",
      value: "NAME",
      help: "The instance a running server is asked about (default: the empty name)",
    },
    {
      name: "config",
      value: "FILE",
      help: "The configuration: profiles, policy, the upstream and how to reach it with TLS",
    },
    { name: "all", help: "Also show what makes no difference" },
    { name: "json", help: "Print JSON; its keys are in docs/explain.md" },
  ],
  async run({ flags, env, print }) {
    const value = (name: string) => flags.get(name)?.[0];
    const background = backgroundOf(value("server"), value("config"), env);
    const client = clientCalled(needed(flags, "client"), background);
    const server = await serverCalled(value("server"), value("instance") ?? "", background);
    const planner = new Planner(TRANSLATORS, background.policy);
    const explanation = explain(client.peer, server.peer, planner);
    const all = value("all") === "true";
    if (value("json") === "true") {
      const rows = all ? explanation.rows : explanation.rows.filter(happens);
      print(`${JSON.stringify({ ...explanation, rows }, null, 2)}\n`);
      return 0;
    }
    const around = { clientFrom: client.from, serverFrom: server.from, all };
    print(renderExplanation(explanation, around, paperOf(process.stdout, env)));
    return 0;
  },
};

function needed(flags: GivenFlags, name: string): string {
  const value = flags.get(name)?.[0];
  if (value === undefined) throw new UsageError(`--${name}: is needed, as in --${name} bazel@8.1`);
  return value;
}
