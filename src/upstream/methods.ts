/** The paths of the methods that the port calls. */

const V2 = "/build.bazel.remote.execution.v2.";

export const GET_CAPABILITIES = `${V2}Capabilities/GetCapabilities`;
export const FIND_MISSING = `${V2}ContentAddressableStorage/FindMissingBlobs`;
export const BATCH_READ = `${V2}ContentAddressableStorage/BatchReadBlobs`;
export const BATCH_UPDATE = `${V2}ContentAddressableStorage/BatchUpdateBlobs`;
export const GET_TREE = `${V2}ContentAddressableStorage/GetTree`;
export const FETCH_BLOB = "/build.bazel.remote.asset.v1.Fetch/FetchBlob";
export const GET_ACTION_RESULT = `${V2}ActionCache/GetActionResult`;
export const UPDATE_ACTION_RESULT = `${V2}ActionCache/UpdateActionResult`;
export const EXECUTE = `${V2}Execution/Execute`;
export const WAIT_EXECUTION = `${V2}Execution/WaitExecution`;
export const READ = "/google.bytestream.ByteStream/Read";
export const WRITE = "/google.bytestream.ByteStream/Write";
export const GET_OPERATION = "/google.longrunning.Operations/GetOperation";
export const CANCEL_OPERATION = "/google.longrunning.Operations/CancelOperation";
