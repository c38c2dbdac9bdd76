import { ALL_OPTIONS, type Option } from "../config/options.ts";
import type { Flag } from "./command.ts";

const CONFIG_FLAG: Flag = {
  name: "config",
  value: "FILE",
  help: "A YAML or JSON file with options; variable REAPI_BRIDGE_CONFIG",
  group: "Running",
};

function flagOf(option: Option): Flag {
  const notes = [
    ...(option.list ? ["repeatable"] : []),
    ...(option.default === undefined ? [] : [`default ${option.default}`]),
  ];
  return {
    name: option.name,
    ...(option.kind.placeholder === "" ? {} : { value: option.kind.placeholder }),
    help: notes.length === 0 ? option.help : `${option.help} (${notes.join("; ")})`,
    repeatable: option.list === true,
    group: option.group,
  };
}

/** The flags that say how the bridge runs. Features add none: what is done about one is in `policy` of the file. */
export const SERVE_FLAGS: readonly Flag[] = [
  ...ALL_OPTIONS.filter((option) => !option.noFlag).map(flagOf),
  CONFIG_FLAG,
];
