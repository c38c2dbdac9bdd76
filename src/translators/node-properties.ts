import { announceNodeProperties } from "./announce/node-property-names.ts";
import { assumed } from "./declare.ts";
import { of } from "./names.ts";
import { FEATURE, supportOf } from "./node-properties/forms.ts";
import { steps, toClient, toServer } from "./node-properties/steps.ts";
import type { Translator } from "./translator.ts";

/**
 * Attributes of files, directories and links among inputs and outputs (D30 to D33): a list in 2.0 and 2.1, a message with other numbers since 2.2. The list
 * that asks for those of outputs moves between Action and Command, Directories on the way to the root are rewritten, and so is every output that comes back,
 * Trees included. What has no other form is refused by name, and so is what a server is known not to return.
 *
 * Directories that the asset service hands on (D54) pass as they are: for the server they are blobs that one client pushes and another fetches, and
 * their digests stand in artifacts, which nobody can rewrite. A client of the other form skips the attributes there.
 */
export const nodeProperties: Translator = {
  feature: FEATURE,
  owns: [
    "behaviour:intermediate-node-properties",
    "behaviour:property-lexicon",
    "behaviour:property-field-names",
    ...of("Action", "output_node_properties"),
    ...of("Command", "output_node_properties"),
    ...of("ExecutionCapabilities", "supported_node_properties"),
    ...of("NodeProperties", "properties", "mtime", "unix_mode"),
    ...of("NodeProperty", "name", "value"),
    ...of("Directory", "node_properties", "node_properties@4"),
    ...of("FileNode", "node_properties", "node_properties@5"),
    ...of("SymlinkNode", "node_properties", "node_properties@3"),
    ...of("OutputFile", "node_properties", "node_properties@6"),
    ...of("OutputSymlink", "node_properties", "node_properties@3"),
  ],
  after: ["output-parents", "output-symlinks"],
  clientAhead:
    "attributes become pairs of text and are asked for in the Action; those of outputs become messages again. What a server cannot have, or is known not to return, is refused",
  serverAhead:
    "attributes become messages and are asked for in the Command; those of outputs become pairs of text again",
  support: supportOf,
  announce: announceNodeProperties,
  assume: {
    client: assumed(["message", "none"], ["message", "none"]),
    server: assumed(["none"], ["none"]),
  },
  toServer: steps(toServer),
  toClient: steps(toClient),
};
