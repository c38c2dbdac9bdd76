import { assumed, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { Translator } from "./translator.ts";

const ALIKE = pass("it is the same in every revision");

/** What has been the same since 2018-11: the owner of the elements nobody has to think about. */
export const unchanged: Translator = {
  feature: {
    id: "unchanged",
    title: "What never changed",
    since: "2018-11",
    drift: [],
    why: "Every element has an owner, so that a new one cannot be overlooked.",
    forms: { same: "the only form there is" },
  },
  owns: [
    ...of("Action", "command_digest", "input_root_digest"),
    ...of("ActionResult", "execution_metadata", "exit_code", "stderr_digest", "stdout_digest"),
    ...of("Command", "environment_variables", "EnvironmentVariable.name", "EnvironmentVariable.value"),
    ...of("Directory", "directories", "files"),
    ...of("DirectoryNode", "digest", "name"),
    ...of("ExecuteResponse", "cached_result", "result", "server_logs", "status"),
    ...of("ExecutedActionMetadata", "worker", "queued_timestamp"),
    ...of("ExecutedActionMetadata", "worker_start_timestamp", "worker_completed_timestamp"),
    ...of("ExecutedActionMetadata", "input_fetch_start_timestamp", "input_fetch_completed_timestamp"),
    ...of("ExecutedActionMetadata", "execution_start_timestamp", "execution_completed_timestamp"),
    ...of("ExecutedActionMetadata", "output_upload_start_timestamp", "output_upload_completed_timestamp"),
    ...of("ExecutionCapabilities", "exec_enabled"),
    ...of("FileNode", "digest", "is_executable", "name"),
    ...of("LogFile", "digest", "human_readable"),
    ...of("OutputFile", "digest", "is_executable"),
  ],
  after: [],
  clientAhead: "passes",
  serverAhead: "passes",
  support: () => null,
  assume: { client: assumed(["same"], ["same"]), server: assumed(["same"], ["same"]) },
  toServer: ALIKE,
  toClient: ALIKE,
};
