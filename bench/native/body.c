#include "body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define PREFIX 5

static uint8_t payload[CHUNK];

/* Bytes that repeat at no power of two, so that a frame lost, doubled or moved is seen. */
static const uint8_t *payload_bytes(void) {
  if (payload[1] == 0) {
    uint32_t state = 1;
    for (size_t i = 0; i < CHUNK; i++) {
      state = state * 1664525u + 1013904223u;
      payload[i] = (uint8_t)(state >> 24) | 1;
    }
  }
  return payload;
}

/* Appends protobuf and returns the new end. */
static uint8_t *put_varint(uint8_t *at, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *at++ = (uint8_t)(value | 0x80);
  *at++ = (uint8_t)value;
  return at;
}

/* A varint of exactly five bytes, so that every head of a stream has the same length. */
static uint8_t *put_padded_varint(uint8_t *at, uint64_t value) {
  for (int i = 0; i < 4; i++, value >>= 7) *at++ = (uint8_t)(value | 0x80);
  *at++ = (uint8_t)value;
  return at;
}

static uint8_t *put_bytes(uint8_t *at, int field, const char *bytes, size_t length) {
  *at++ = (uint8_t)(field << 3 | 2);
  at = put_varint(at, length);
  memcpy(at, bytes, length);
  return at + length;
}

static uint8_t *put_text(uint8_t *at, int field, const char *text) {
  return put_bytes(at, field, text, strlen(text));
}

/* A field that holds a Digest; hashes differ in their last digit, sizes always. */
static uint8_t *put_digest(uint8_t *at, int field, int number) {
  char digest[80];
  uint8_t *end = put_text((uint8_t *)digest, 1, HASH);
  end[-1] = (uint8_t)('0' + number % 10);
  *end++ = 2 << 3;
  end = put_varint(end, 4096 + (uint64_t)number);
  return put_bytes(at, field, digest, (size_t)(end - (uint8_t *)digest));
}

static void put_prefix(uint8_t *at, size_t message) {
  at[0] = 0;
  for (int i = 0; i < 4; i++) at[1 + i] = (uint8_t)(message >> (24 - 8 * i));
}

/* A body that is the one message from `start + PREFIX` to `end`. */
static struct body whole(uint8_t *start, const uint8_t *end) {
  size_t length = (size_t)(end - start);
  put_prefix(start, length - PREFIX);
  return (struct body){.heads = start, .head = length, .messages = 1, .total = length};
}

static struct body digests(const char *instance, int field, int count) {
  uint8_t *start = calloc(1, 128 + (size_t)count * 96), *at = start + PREFIX;
  if (instance) at = put_text(at, 1, instance);
  for (int i = 0; i < count; i++) at = put_digest(at, field, i);
  return whole(start, at);
}

struct body body_find_request(int count) { return digests("projects/benchmark/instances/default", 2, count); }

struct body body_small_reply(void) { return digests(NULL, 2, 4); }

struct body body_capabilities(void) {
  static const uint8_t message[] = {
    0x0a, 3, 0x0a, 1, 1,          /* cache_capabilities: digest_functions: SHA256 */
    0x22, 2, 0x08, 2,             /* low_api_version: 2.0 */
    0x2a, 4, 0x08, 2, 0x10, 12,   /* high_api_version: 2.12 */
  };
  uint8_t *start = calloc(1, PREFIX + sizeof message);
  memcpy(start + PREFIX, message, sizeof message);
  return whole(start, start + PREFIX + sizeof message);
}

static void resource_name(char *to, size_t room, const char *uploads, uint64_t bytes) {
  snprintf(to, room, "projects/benchmark/%sblobs/%s/%llu", uploads, HASH, (unsigned long long)bytes);
}

struct body body_read_request(uint64_t bytes) {
  char name[256];
  resource_name(name, sizeof name, "", bytes);
  uint8_t *start = calloc(1, 512);
  return whole(start, put_text(start + PREFIX, 1, name));
}

struct body body_write_reply(uint64_t bytes) {
  uint8_t *start = calloc(1, 32), *at = start + PREFIX;
  *at++ = 1 << 3;
  return whole(start, put_varint(at, bytes));
}

/* A stream of messages, each with the fields `fields_of` writes before the payload in field 10. */
static struct body stream(uint64_t bytes, uint8_t *(*fields_of)(uint8_t *at, uint64_t offset, uint64_t bytes)) {
  uint64_t messages = bytes / CHUNK;
  uint8_t scratch[512];
  size_t fields = (size_t)(fields_of(scratch, 0, bytes) - scratch);
  size_t head = PREFIX + fields + 1 + 3;
  uint8_t *heads = calloc(messages, head);
  for (uint64_t i = 0; i < messages; i++) {
    uint8_t *start = heads + i * head, *at = fields_of(start + PREFIX, i * CHUNK, bytes);
    *at++ = 10 << 3 | 2;
    put_varint(at, CHUNK);
    put_prefix(start, head - PREFIX + CHUNK);
  }
  payload_bytes();
  return (struct body){heads, head, CHUNK, messages, messages * (head + CHUNK)};
}

static uint8_t *read_reply_fields(uint8_t *at, uint64_t offset, uint64_t bytes) {
  (void)offset, (void)bytes;
  return at;
}

static uint8_t *write_request_fields(uint8_t *at, uint64_t offset, uint64_t bytes) {
  char name[256];
  resource_name(name, sizeof name, "uploads/0f8fad5b-d9cb-469f-a165-70867728950e/", bytes);
  at = put_text(at, 1, name);
  *at++ = 2 << 3;
  at = put_padded_varint(at, offset);
  *at++ = 3 << 3;
  *at++ = offset + CHUNK == bytes;
  return at;
}

struct body body_read_reply(uint64_t bytes) { return stream(bytes, read_reply_fields); }

struct body body_write_requests(uint64_t bytes) { return stream(bytes, write_request_fields); }

uint64_t body_named_size(const uint8_t *message, size_t length) {
  if (length < PREFIX + 2 || message[PREFIX] != (1 << 3 | 2)) return 0;
  size_t end = PREFIX + 2 + message[PREFIX + 1], at = PREFIX + 2;
  if (message[PREFIX + 1] & 0x80) end = PREFIX + 3 + (message[PREFIX + 1] & 0x7f) + message[PREFIX + 2] * 128u, at++;
  if (end > length) return 0;
  uint64_t size = 0, unit = 1;
  for (; end > at && message[end - 1] != '/'; end--, unit *= 10) {
    if (message[end - 1] < '0' || message[end - 1] > '9') return 0;
    size += unit * (message[end - 1] - '0');
  }
  return size;
}

struct iovec body_piece(const struct body *body, uint64_t offset, size_t length) {
  uint64_t message = offset / (body->head + body->chunk);
  size_t within = (size_t)(offset % (body->head + body->chunk));
  bool in_head = within < body->head;
  size_t left = in_head ? body->head - within : body->head + body->chunk - within;
  const uint8_t *from = in_head ? body->heads + message * body->head + within : payload + (within - body->head);
  return (struct iovec){(void *)from, length < left ? length : left};
}

bool body_matches(const struct body *body, uint64_t offset, const uint8_t *bytes, size_t length) {
  if (offset + length > body->total) return false;
  while (length > 0) {
    struct iovec piece = body_piece(body, offset, length);
    if (memcmp(piece.iov_base, bytes, piece.iov_len) != 0) return false;
    bytes += piece.iov_len, offset += piece.iov_len, length -= piece.iov_len;
  }
  return true;
}
