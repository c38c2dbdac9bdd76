/** Paths of the methods that translators name. */
const V2 = "/build.bazel.remote.execution.v2";
const OPERATIONS = "/google.longrunning.Operations";
const ASSET = "/build.bazel.remote.asset.v1";
const CAS = `${V2}.ContentAddressableStorage`;

export const GET_CAPABILITIES = `${V2}.Capabilities/GetCapabilities`;
export const EXECUTE = `${V2}.Execution/Execute`;
export const WAIT_EXECUTION = `${V2}.Execution/WaitExecution`;
export const GET_ACTION_RESULT = `${V2}.ActionCache/GetActionResult`;
export const UPDATE_ACTION_RESULT = `${V2}.ActionCache/UpdateActionResult`;
export const FIND_MISSING_BLOBS = `${CAS}/FindMissingBlobs`;
export const BATCH_UPDATE_BLOBS = `${CAS}/BatchUpdateBlobs`;
export const BATCH_READ_BLOBS = `${CAS}/BatchReadBlobs`;
export const GET_TREE = `${CAS}/GetTree`;
export const SPLIT_BLOB = `${CAS}/SplitBlob`;
export const SPLICE_BLOB = `${CAS}/SpliceBlob`;
/** Of a proposal (P01): in no revision. */
export const SPLIT_CHUNKS = `${CAS}/SplitChunks`;
export const SPLICE_CHUNKS = `${CAS}/SpliceChunks`;
export const READ = "/google.bytestream.ByteStream/Read";
export const WRITE = "/google.bytestream.ByteStream/Write";
export const QUERY_WRITE_STATUS = "/google.bytestream.ByteStream/QueryWriteStatus";

export const GET_OPERATION = `${OPERATIONS}/GetOperation`;
export const WAIT_OPERATION = `${OPERATIONS}/WaitOperation`;
export const CANCEL_OPERATION = `${OPERATIONS}/CancelOperation`;
export const DELETE_OPERATION = `${OPERATIONS}/DeleteOperation`;

export const CREATE_LOG_STREAM = "/build.bazel.remote.logstream.v1.LogStreamService/CreateLogStream";
export const FETCH_BLOB = `${ASSET}.Fetch/FetchBlob`;
export const FETCH_DIRECTORY = `${ASSET}.Fetch/FetchDirectory`;
export const PUSH_BLOB = `${ASSET}.Push/PushBlob`;
export const PUSH_DIRECTORY = `${ASSET}.Push/PushDirectory`;
