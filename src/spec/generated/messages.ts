// Written by scripts/generate.ts from spec-data; do not edit.

interface FetchBlobRequest {
  instanceName: string; // since 2.2
  timeout: Duration | null; // since 2.2
  oldestContentAccepted: Timestamp | null; // since 2.2
  uris: string[]; // since 2.2
  qualifiers: Qualifier[]; // since 2.2
  digestFunction: number; // since 2.10
}

interface FetchBlobResponse {
  status: Status | null; // since 2.2
  uri: string; // since 2.2
  qualifiers: Qualifier[]; // since 2.2
  expiresAt: Timestamp | null; // since 2.2
  blobDigest: Digest | null; // since 2.2
  digestFunction: number; // since 2.10
}

interface FetchDirectoryRequest {
  instanceName: string; // since 2.2
  timeout: Duration | null; // since 2.2
  oldestContentAccepted: Timestamp | null; // since 2.2
  uris: string[]; // since 2.2
  qualifiers: Qualifier[]; // since 2.2
  digestFunction: number; // since 2.10
}

interface FetchDirectoryResponse {
  status: Status | null; // since 2.2
  uri: string; // since 2.2
  qualifiers: Qualifier[]; // since 2.2
  expiresAt: Timestamp | null; // since 2.2
  rootDirectoryDigest: Digest | null; // since 2.2
  digestFunction: number; // since 2.10
}

interface PushBlobRequest {
  instanceName: string; // since 2.2
  uris: string[]; // since 2.2
  qualifiers: Qualifier[]; // since 2.2
  expireAt: Timestamp | null; // since 2.2
  blobDigest: Digest | null; // since 2.2
  referencesBlobs: Digest[]; // since 2.2
  referencesDirectories: Digest[]; // since 2.2
  digestFunction: number; // since 2.10
}

interface PushBlobResponse {}

interface PushDirectoryRequest {
  instanceName: string; // since 2.2
  uris: string[]; // since 2.2
  qualifiers: Qualifier[]; // since 2.2
  expireAt: Timestamp | null; // since 2.2
  rootDirectoryDigest: Digest | null; // since 2.2
  referencesBlobs: Digest[]; // since 2.2
  referencesDirectories: Digest[]; // since 2.2
  digestFunction: number; // since 2.10
}

interface PushDirectoryResponse {}

interface Qualifier {
  name: string; // since 2.2
  value: string; // since 2.2
}

interface Action {
  commandDigest: Digest | null;
  inputRootDigest: Digest | null;
  timeout: Duration | null;
  doNotCache: boolean;
  outputNodeProperties: string[]; // 2.0 to before 2.2
  salt: Uint8Array; // since 2.2
  platform: Platform | null; // since 2.2
}

interface ActionCacheUpdateCapabilities {
  updateEnabled: boolean;
}

interface ActionResult {
  outputFiles: OutputFile[];
  outputDirectories: OutputDirectory[];
  exitCode: number;
  stdoutRaw: Uint8Array;
  stdoutDigest: Digest | null;
  stderrRaw: Uint8Array;
  stderrDigest: Digest | null;
  executionMetadata: ExecutedActionMetadata | null;
  outputFileSymlinks: OutputSymlink[];
  outputDirectorySymlinks: OutputSymlink[];
  outputSymlinks: OutputSymlink[]; // since 2.1
}

interface BatchReadBlobsRequest {
  instanceName: string;
  digests: Digest[];
  acceptableCompressors: number[]; // since 2.3
  digestFunction: number; // since 2.5
}

interface BatchReadBlobsResponse {
  responses: BatchReadBlobsResponse_Response[];
}

interface BatchReadBlobsResponse_Response {
  digest: Digest | null;
  data: Uint8Array;
  status: Status | null;
  compressor: number; // since 2.3
}

interface BatchUpdateBlobsRequest {
  instanceName: string;
  requests: BatchUpdateBlobsRequest_Request[];
  digestFunction: number; // since 2.5
}

interface BatchUpdateBlobsRequest_Request {
  digest: Digest | null;
  data: Uint8Array;
  compressor: number; // since 2.3
}

interface BatchUpdateBlobsResponse {
  responses: BatchUpdateBlobsResponse_Response[];
}

interface BatchUpdateBlobsResponse_Response {
  digest: Digest | null;
  status: Status | null;
}

interface CacheCapabilities {
  digestFunctions: number[];
  actionCacheUpdateCapabilities: ActionCacheUpdateCapabilities | null;
  cachePriorityCapabilities: PriorityCapabilities | null;
  maxBatchTotalSizeBytes: bigint;
  symlinkAbsolutePathStrategy: number;
  supportedCompressors: number[]; // since 2.3
  supportedBatchUpdateCompressors: number[]; // since 2.3
  maxCasBlobSizeBytes: bigint; // since 2.12
  splitBlobSupport: boolean; // since 2.12
  spliceBlobSupport: boolean; // since 2.12
  fastCdc2020Params: FastCdc2020Params | null; // since 2.12
  repMaxCdcParams: RepMaxCdcParams | null; // since 2.12
}

interface ChunkingFunction {}

interface Command {
  arguments: string[];
  environmentVariables: Command_EnvironmentVariable[];
  outputFiles: string[];
  outputDirectories: string[];
  platform: Platform | null;
  workingDirectory: string;
  outputPaths: string[]; // since 2.1
  outputNodeProperties: string[]; // since 2.2
  outputDirectoryFormat: number; // since 2.8
}

interface Command_EnvironmentVariable {
  name: string;
  value: string;
}

interface Compressor {}

interface Digest {
  hash: string;
  sizeBytes: bigint;
}

interface DigestFunction {}

interface Directory {
  files: FileNode[];
  directories: DirectoryNode[];
  symlinks: SymlinkNode[];
  legacyNodeProperties: NodeProperty[]; // 2.0 to before 2.2
  nodeProperties: NodeProperties | null; // since 2.2
}

interface DirectoryNode {
  name: string;
  digest: Digest | null;
}

interface ExecuteOperationMetadata {
  stage: number;
  actionDigest: Digest | null;
  stdoutStreamName: string;
  stderrStreamName: string;
  partialExecutionMetadata: ExecutedActionMetadata | null; // since 2.6
  digestFunction: number; // since 2.11
}

interface ExecuteRequest {
  instanceName: string;
  skipCacheLookup: boolean;
  actionDigest: Digest | null;
  executionPolicy: ExecutionPolicy | null;
  resultsCachePolicy: ResultsCachePolicy | null;
  digestFunction: number; // since 2.5
  inlineStdout: boolean; // since 2.9
  inlineStderr: boolean; // since 2.9
  inlineOutputFiles: string[]; // since 2.9
}

interface ExecuteResponse {
  result: ActionResult | null;
  cachedResult: boolean;
  status: Status | null;
  serverLogs: Record<string, LogFile>;
  message: string;
}

interface ExecutedActionMetadata {
  worker: string;
  queuedTimestamp: Timestamp | null;
  workerStartTimestamp: Timestamp | null;
  workerCompletedTimestamp: Timestamp | null;
  inputFetchStartTimestamp: Timestamp | null;
  inputFetchCompletedTimestamp: Timestamp | null;
  executionStartTimestamp: Timestamp | null;
  executionCompletedTimestamp: Timestamp | null;
  outputUploadStartTimestamp: Timestamp | null;
  outputUploadCompletedTimestamp: Timestamp | null;
  auxiliaryMetadata: Any[]; // since 2.3
  virtualExecutionDuration: Duration | null; // since 2.3
}

interface ExecutionCapabilities {
  digestFunction: number;
  execEnabled: boolean;
  executionPriorityCapabilities: PriorityCapabilities | null;
  supportedNodeProperties: string[]; // since 2.0
  digestFunctions: number[]; // since 2.7
}

interface ExecutionPolicy {
  priority: number;
}

interface ExecutionStage {}

interface FastCdc2020Params {
  avgChunkSizeBytes: bigint; // since 2.12
  seed: number; // since 2.12
}

interface FileNode {
  name: string;
  digest: Digest | null;
  isExecutable: boolean;
  legacyNodeProperties: NodeProperty[]; // 2.0 to before 2.2
  nodeProperties: NodeProperties | null; // since 2.2
}

interface FindMissingBlobsRequest {
  instanceName: string;
  blobDigests: Digest[];
  digestFunction: number; // since 2.5
}

interface FindMissingBlobsResponse {
  missingBlobDigests: Digest[];
}

interface GetActionResultRequest {
  instanceName: string;
  actionDigest: Digest | null;
  inlineStdout: boolean; // since 2.0
  inlineStderr: boolean; // since 2.0
  inlineOutputFiles: string[]; // since 2.0
  digestFunction: number; // since 2.5
}

interface GetCapabilitiesRequest {
  instanceName: string;
}

interface GetTreeRequest {
  instanceName: string;
  rootDigest: Digest | null;
  pageSize: number;
  pageToken: string;
  digestFunction: number; // since 2.5
}

interface GetTreeResponse {
  directories: Directory[];
  nextPageToken: string;
}

interface LogFile {
  digest: Digest | null;
  humanReadable: boolean;
}

interface NodeProperties {
  properties: NodeProperty[]; // since 2.2
  mtime: Timestamp | null; // since 2.2
  unixMode: UInt32Value | null; // since 2.2
}

interface NodeProperty {
  name: string; // since 2.0
  value: string; // since 2.0
}

interface OutputDirectory {
  path: string;
  treeDigest: Digest | null;
  isTopologicallySorted: boolean; // since 2.4
  rootDirectoryDigest: Digest | null; // since 2.8
}

interface OutputFile {
  path: string;
  digest: Digest | null;
  isExecutable: boolean;
  contents: Uint8Array; // since 2.0
  legacyNodeProperties: NodeProperty[]; // 2.0 to before 2.2
  nodeProperties: NodeProperties | null; // since 2.2
}

interface OutputSymlink {
  path: string;
  target: string;
  legacyNodeProperties: NodeProperty[]; // 2.0 to before 2.2
  nodeProperties: NodeProperties | null; // since 2.2
}

interface Platform {
  properties: Platform_Property[];
}

interface Platform_Property {
  name: string;
  value: string;
}

interface PriorityCapabilities {
  priorities: PriorityCapabilities_PriorityRange[];
}

interface PriorityCapabilities_PriorityRange {
  minPriority: number;
  maxPriority: number;
}

interface RepMaxCdcParams {
  minChunkSizeBytes: bigint; // since 2.12
  horizonSizeBytes: bigint; // since 2.12
}

interface RequestMetadata {
  toolDetails: ToolDetails | null;
  actionId: string;
  toolInvocationId: string;
  correlatedInvocationsId: string;
  actionMnemonic: string; // since 2.3
  targetId: string; // since 2.3
  configurationId: string; // since 2.3
}

interface ResultsCachePolicy {
  priority: number;
}

interface ServerCapabilities {
  cacheCapabilities: CacheCapabilities | null;
  executionCapabilities: ExecutionCapabilities | null;
  deprecatedApiVersion: SemVer | null;
  lowApiVersion: SemVer | null;
  highApiVersion: SemVer | null;
}

interface SpliceBlobRequest {
  instanceName: string; // since 2.12
  blobDigest: Digest | null; // since 2.12
  chunkDigests: Digest[]; // since 2.12
  digestFunction: number; // since 2.12
  chunkingFunction: number; // since 2.12
}

interface SpliceBlobResponse {
  blobDigest: Digest | null; // since 2.12
}

interface SplitBlobRequest {
  instanceName: string; // since 2.12
  blobDigest: Digest | null; // since 2.12
  digestFunction: number; // since 2.12
  chunkingFunction: number; // since 2.12
}

interface SplitBlobResponse {
  chunkDigests: Digest[]; // since 2.12
  chunkingFunction: number; // since 2.12
}

interface SymlinkAbsolutePathStrategy {}

interface SymlinkNode {
  name: string;
  target: string;
  legacyNodeProperties: NodeProperty[]; // 2.0 to before 2.2
  nodeProperties: NodeProperties | null; // since 2.2
}

interface ToolDetails {
  toolName: string;
  toolVersion: string;
}

interface Tree {
  root: Directory | null;
  children: Directory[];
}

interface UpdateActionResultRequest {
  instanceName: string;
  actionDigest: Digest | null;
  actionResult: ActionResult | null;
  resultsCachePolicy: ResultsCachePolicy | null;
  digestFunction: number; // since 2.5
}

interface WaitExecutionRequest {
  name: string;
}

interface CreateLogStreamRequest {
  parent: string; // since 2.2
}

interface LogStream {
  name: string; // since 2.2
  writeResourceName: string; // since 2.2
}

interface SemVer {
  major: number;
  minor: number;
  patch: number;
  prerelease: string;
}

interface QueryWriteStatusRequest {
  resourceName: string;
}

interface QueryWriteStatusResponse {
  committedSize: bigint;
  complete: boolean;
}

interface ReadRequest {
  resourceName: string;
  readOffset: bigint;
  readLimit: bigint;
}

interface ReadResponse {
  data: Uint8Array;
}

interface WriteRequest {
  resourceName: string;
  writeOffset: bigint;
  finishWrite: boolean;
  data: Uint8Array;
}

interface WriteResponse {
  committedSize: bigint;
}

interface CancelOperationRequest {
  name: string;
}

interface DeleteOperationRequest {
  name: string;
}

interface GetOperationRequest {
  name: string;
}

interface ListOperationsRequest {
  filter: string;
  pageSize: number;
  pageToken: string;
  name: string;
  returnPartialSuccess: boolean;
}

interface ListOperationsResponse {
  operations: Operation[];
  nextPageToken: string;
  unreachable: string[];
}

interface Operation {
  name: string;
  metadata: Any | null;
  done: boolean;
  error: Status | null;
  response: Any | null;
}

interface WaitOperationRequest {
  name: string;
  timeout: Duration | null;
}

interface Any {
  typeUrl: string;
  value: Uint8Array;
}

interface Duration {
  seconds: bigint;
  nanos: number;
}

interface Empty {}

interface Timestamp {
  seconds: bigint;
  nanos: number;
}

interface UInt32Value {
  value: number;
}

interface BadRequest {
  fieldViolations: BadRequest_FieldViolation[];
}

interface BadRequest_FieldViolation {
  field: string;
  description: string;
  reason: string;
  localizedMessage: LocalizedMessage | null;
}

interface ErrorInfo {
  reason: string;
  domain: string;
  metadata: Record<string, string>;
}

interface LocalizedMessage {
  locale: string;
  message: string;
}

interface PreconditionFailure {
  violations: PreconditionFailure_Violation[];
}

interface PreconditionFailure_Violation {
  type: string;
  subject: string;
  description: string;
}

interface RetryInfo {
  retryDelay: Duration | null;
}

interface Status {
  code: number;
  message: string;
  details: Any[];
}

/** Every message the codec knows, by full name. Fields of all versions; one the codec's level lacks reads as its default. */
export interface Messages {
  "build.bazel.remote.asset.v1.FetchBlobRequest": FetchBlobRequest;
  "build.bazel.remote.asset.v1.FetchBlobResponse": FetchBlobResponse;
  "build.bazel.remote.asset.v1.FetchDirectoryRequest": FetchDirectoryRequest;
  "build.bazel.remote.asset.v1.FetchDirectoryResponse": FetchDirectoryResponse;
  "build.bazel.remote.asset.v1.PushBlobRequest": PushBlobRequest;
  "build.bazel.remote.asset.v1.PushBlobResponse": PushBlobResponse;
  "build.bazel.remote.asset.v1.PushDirectoryRequest": PushDirectoryRequest;
  "build.bazel.remote.asset.v1.PushDirectoryResponse": PushDirectoryResponse;
  "build.bazel.remote.asset.v1.Qualifier": Qualifier;
  "build.bazel.remote.execution.v2.Action": Action;
  "build.bazel.remote.execution.v2.ActionCacheUpdateCapabilities": ActionCacheUpdateCapabilities;
  "build.bazel.remote.execution.v2.ActionResult": ActionResult;
  "build.bazel.remote.execution.v2.BatchReadBlobsRequest": BatchReadBlobsRequest;
  "build.bazel.remote.execution.v2.BatchReadBlobsResponse": BatchReadBlobsResponse;
  "build.bazel.remote.execution.v2.BatchReadBlobsResponse.Response": BatchReadBlobsResponse_Response;
  "build.bazel.remote.execution.v2.BatchUpdateBlobsRequest": BatchUpdateBlobsRequest;
  "build.bazel.remote.execution.v2.BatchUpdateBlobsRequest.Request": BatchUpdateBlobsRequest_Request;
  "build.bazel.remote.execution.v2.BatchUpdateBlobsResponse": BatchUpdateBlobsResponse;
  "build.bazel.remote.execution.v2.BatchUpdateBlobsResponse.Response": BatchUpdateBlobsResponse_Response;
  "build.bazel.remote.execution.v2.CacheCapabilities": CacheCapabilities;
  "build.bazel.remote.execution.v2.ChunkingFunction": ChunkingFunction;
  "build.bazel.remote.execution.v2.Command": Command;
  "build.bazel.remote.execution.v2.Command.EnvironmentVariable": Command_EnvironmentVariable;
  "build.bazel.remote.execution.v2.Compressor": Compressor;
  "build.bazel.remote.execution.v2.Digest": Digest;
  "build.bazel.remote.execution.v2.DigestFunction": DigestFunction;
  "build.bazel.remote.execution.v2.Directory": Directory;
  "build.bazel.remote.execution.v2.DirectoryNode": DirectoryNode;
  "build.bazel.remote.execution.v2.ExecuteOperationMetadata": ExecuteOperationMetadata;
  "build.bazel.remote.execution.v2.ExecuteRequest": ExecuteRequest;
  "build.bazel.remote.execution.v2.ExecuteResponse": ExecuteResponse;
  "build.bazel.remote.execution.v2.ExecutedActionMetadata": ExecutedActionMetadata;
  "build.bazel.remote.execution.v2.ExecutionCapabilities": ExecutionCapabilities;
  "build.bazel.remote.execution.v2.ExecutionPolicy": ExecutionPolicy;
  "build.bazel.remote.execution.v2.ExecutionStage": ExecutionStage;
  "build.bazel.remote.execution.v2.FastCdc2020Params": FastCdc2020Params;
  "build.bazel.remote.execution.v2.FileNode": FileNode;
  "build.bazel.remote.execution.v2.FindMissingBlobsRequest": FindMissingBlobsRequest;
  "build.bazel.remote.execution.v2.FindMissingBlobsResponse": FindMissingBlobsResponse;
  "build.bazel.remote.execution.v2.GetActionResultRequest": GetActionResultRequest;
  "build.bazel.remote.execution.v2.GetCapabilitiesRequest": GetCapabilitiesRequest;
  "build.bazel.remote.execution.v2.GetTreeRequest": GetTreeRequest;
  "build.bazel.remote.execution.v2.GetTreeResponse": GetTreeResponse;
  "build.bazel.remote.execution.v2.LogFile": LogFile;
  "build.bazel.remote.execution.v2.NodeProperties": NodeProperties;
  "build.bazel.remote.execution.v2.NodeProperty": NodeProperty;
  "build.bazel.remote.execution.v2.OutputDirectory": OutputDirectory;
  "build.bazel.remote.execution.v2.OutputFile": OutputFile;
  "build.bazel.remote.execution.v2.OutputSymlink": OutputSymlink;
  "build.bazel.remote.execution.v2.Platform": Platform;
  "build.bazel.remote.execution.v2.Platform.Property": Platform_Property;
  "build.bazel.remote.execution.v2.PriorityCapabilities": PriorityCapabilities;
  "build.bazel.remote.execution.v2.PriorityCapabilities.PriorityRange": PriorityCapabilities_PriorityRange;
  "build.bazel.remote.execution.v2.RepMaxCdcParams": RepMaxCdcParams;
  "build.bazel.remote.execution.v2.RequestMetadata": RequestMetadata;
  "build.bazel.remote.execution.v2.ResultsCachePolicy": ResultsCachePolicy;
  "build.bazel.remote.execution.v2.ServerCapabilities": ServerCapabilities;
  "build.bazel.remote.execution.v2.SpliceBlobRequest": SpliceBlobRequest;
  "build.bazel.remote.execution.v2.SpliceBlobResponse": SpliceBlobResponse;
  "build.bazel.remote.execution.v2.SplitBlobRequest": SplitBlobRequest;
  "build.bazel.remote.execution.v2.SplitBlobResponse": SplitBlobResponse;
  "build.bazel.remote.execution.v2.SymlinkAbsolutePathStrategy": SymlinkAbsolutePathStrategy;
  "build.bazel.remote.execution.v2.SymlinkNode": SymlinkNode;
  "build.bazel.remote.execution.v2.ToolDetails": ToolDetails;
  "build.bazel.remote.execution.v2.Tree": Tree;
  "build.bazel.remote.execution.v2.UpdateActionResultRequest": UpdateActionResultRequest;
  "build.bazel.remote.execution.v2.WaitExecutionRequest": WaitExecutionRequest;
  "build.bazel.remote.logstream.v1.CreateLogStreamRequest": CreateLogStreamRequest;
  "build.bazel.remote.logstream.v1.LogStream": LogStream;
  "build.bazel.semver.SemVer": SemVer;
  "google.bytestream.QueryWriteStatusRequest": QueryWriteStatusRequest;
  "google.bytestream.QueryWriteStatusResponse": QueryWriteStatusResponse;
  "google.bytestream.ReadRequest": ReadRequest;
  "google.bytestream.ReadResponse": ReadResponse;
  "google.bytestream.WriteRequest": WriteRequest;
  "google.bytestream.WriteResponse": WriteResponse;
  "google.longrunning.CancelOperationRequest": CancelOperationRequest;
  "google.longrunning.DeleteOperationRequest": DeleteOperationRequest;
  "google.longrunning.GetOperationRequest": GetOperationRequest;
  "google.longrunning.ListOperationsRequest": ListOperationsRequest;
  "google.longrunning.ListOperationsResponse": ListOperationsResponse;
  "google.longrunning.Operation": Operation;
  "google.longrunning.WaitOperationRequest": WaitOperationRequest;
  "google.protobuf.Any": Any;
  "google.protobuf.Duration": Duration;
  "google.protobuf.Empty": Empty;
  "google.protobuf.Timestamp": Timestamp;
  "google.protobuf.UInt32Value": UInt32Value;
  "google.rpc.BadRequest": BadRequest;
  "google.rpc.BadRequest.FieldViolation": BadRequest_FieldViolation;
  "google.rpc.ErrorInfo": ErrorInfo;
  "google.rpc.LocalizedMessage": LocalizedMessage;
  "google.rpc.PreconditionFailure": PreconditionFailure;
  "google.rpc.PreconditionFailure.Violation": PreconditionFailure_Violation;
  "google.rpc.RetryInfo": RetryInfo;
  "google.rpc.Status": Status;
}
