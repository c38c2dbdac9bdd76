/*
 * HPACK as gRPC libraries encode it (grpc-java, grpc-go): every field goes into the dynamic table, `:path` and
 * `authorization` too, which libnghttp2 never puts there. For header sets whose fields keep their places, so that a
 * look-up is an array access.
 */
#ifndef BENCH_HEADER_ENCODER_H
#define BENCH_HEADER_ENCODER_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEADER_PLACES 16
#define HEADER_TABLE 4096
#define HEADER_ENTRIES (HEADER_TABLE / 32)

struct header {
  const char *name, *value;
  int static_field; /* index in the static table of the whole field, or 0 */
  int static_name; /* index in the static table of the name, or 0 */
  int place; /* 0 to HEADER_PLACES - 1, always the same for one field of one connection */
  bool varies; /* has another value in each block; is then Huffman-coded, as grpc-go does */
};

struct header_encoder {
  uint64_t added, evicted; /* entries so far */
  uint64_t entry_of[HEADER_PLACES]; /* the number of the field's last entry, from 1 */
  uint32_t sizes[HEADER_ENTRIES];
  uint32_t size, limit;
  bool limit_changed;
  nghttp2_hd_deflater *huffman;
};

void header_encoder_start(struct header_encoder *encoder);
void header_encoder_free(struct header_encoder *encoder);

/* The peer's SETTINGS_HEADER_TABLE_SIZE; more than HEADER_TABLE is not used. */
void header_encoder_limit(struct header_encoder *encoder, uint32_t limit);

/* Writes a block to `to`, where there is room for it, and returns its end. */
uint8_t *header_encode(struct header_encoder *encoder, uint8_t *to, const struct header *headers, size_t count);

#endif
