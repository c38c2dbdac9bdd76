import { instanceName } from "./instance-name.ts";
import { listenAddress, profileName } from "./place-kinds.ts";
import type { JsonSchema } from "./schema.ts";
import { serviceNames } from "./service-names.ts";

function item(required: string, properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: "object", additionalProperties: false, required: [required], properties };
}

const client = item("profile", {
  listen: { ...listenAddress.schema, description: "One of the addresses of listen; any if left out" },
  instance: {
    ...instanceName.schema,
    description: "What the instance name begins with, in whole segments; any if left out",
  },
  profile: { ...profileName.schema, description: "What the client is: NAME or NAME@VERSION" },
});

const route = item("upstream", {
  services: {
    type: "array",
    items: serviceNames.schema,
    minItems: 1,
    description:
      "cas, action-cache, execution, asset, log-stream, or full names of gRPC services; all if left out",
  },
  instance: {
    ...instanceName.schema,
    description: "What the instance name begins with, in whole segments; any if left out",
  },
  upstream: { type: "string", minLength: 1, description: "One of upstreams, or default for upstream" },
  rename: {
    ...instanceName.schema,
    description: "What stands in place of instance in the names that the upstream sees",
  },
});

/** The parts of the file that have no flags, by key. `upstream` is the schema of one upstream. */
export function sectionSchemas(upstream: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return {
    policy: {
      type: "object",
      additionalProperties: { type: "string", enum: ["auto", "off", "require"] },
      description: "What is done about single features, by name; auto for the others",
    },
    clients: {
      type: "array",
      items: client,
      description: "What clients are, told by where their calls arrive; the first that matches counts",
    },
    upstreams: {
      type: "object",
      additionalProperties: upstream,
      description: "Further servers by name, for routes; the same keys as upstream",
    },
    routes: {
      type: "array",
      items: route,
      description:
        "Which calls go to which of upstreams; the first that matches counts, the rest goes to upstream",
    },
  };
}
