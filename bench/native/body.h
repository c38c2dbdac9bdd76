/*
 * The messages of the benchmark: real Remote Execution API calls with fixed contents, so that both ends can check every
 * byte.
 */
#ifndef BENCH_BODY_H
#define BENCH_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Payload of one ByteStream message. */
#define CHUNK (256u * 1024)

/*
 * The body of one direction of a call: `messages` times a head of `head` bytes (gRPC prefix and protobuf fields, at
 * `heads + i * head`) followed by `chunk` bytes of payload, which all messages share. A small message is all head.
 */
struct body {
  const uint8_t *heads;
  size_t head;
  size_t chunk;
  uint64_t messages;
  uint64_t total;
};

/* FindMissingBlobs: a request for `count` digests, about 75 bytes each, and a reply of about 300. */
struct body body_find_request(int count);
struct body body_small_reply(void);

/* GetCapabilities: the reply of a server of API 2.0 to 2.12 with SHA-256, for which a bridge has nothing to do. */
struct body body_capabilities(void);

/* ByteStream.Read: the request for a blob of `bytes` bytes, and the stream of replies. `bytes` is a multiple of CHUNK. */
struct body body_read_request(uint64_t bytes);
struct body body_read_reply(uint64_t bytes);

/* ByteStream.Write: the stream of requests, and the reply that confirms them. `bytes` is a multiple of CHUNK. */
struct body body_write_requests(uint64_t bytes);
struct body body_write_reply(uint64_t bytes);

/* The blob size at the end of the resource name of a ReadRequest or of the first WriteRequest; 0 if there is none. */
uint64_t body_named_size(const uint8_t *message, size_t length);

/* The memory at `offset`, as one piece that is at most `length` bytes long. */
struct iovec body_piece(const struct body *body, uint64_t offset, size_t length);

/* Whether `length` bytes that arrived at `offset` are the body's. */
bool body_matches(const struct body *body, uint64_t offset, const uint8_t *bytes, size_t length);

#endif
