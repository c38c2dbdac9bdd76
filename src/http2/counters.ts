/** What a connection counts for everybody on its side of the bridge: plain numbers, only ever added to. */
export interface ConnectionCounters {
  /** Bytes received. */
  in: number;
  /** Bytes written. */
  out: number;
  /** Connections open now. */
  connections: number;
  /** Connections opened since the start. */
  connectionsTotal: number;
  /** Streams open now. */
  streams: number;
  /** Streams opened since the start. */
  streamsTotal: number;
  /** Streams that ended in a reset, whoever sent it. */
  resetsTotal: number;
  /** Connections ended because the peer broke the protocol. */
  protocolErrorsTotal: number;
  /** Connections ended because the peer made work without moving data. */
  floodsTotal: number;
}
