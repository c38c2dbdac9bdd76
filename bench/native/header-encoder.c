#include "header-encoder.h"

#include <string.h>

#define STATIC_ENTRIES 61

void header_encoder_start(struct header_encoder *encoder) {
  *encoder = (struct header_encoder){.limit = HEADER_TABLE};
  nghttp2_hd_deflate_new(&encoder->huffman, HEADER_TABLE);
}

void header_encoder_free(struct header_encoder *encoder) { nghttp2_hd_deflate_del(encoder->huffman); }

static void evict_to(struct header_encoder *encoder, uint32_t size) {
  while (encoder->size > size) encoder->size -= encoder->sizes[encoder->evicted++ % HEADER_ENTRIES];
}

void header_encoder_limit(struct header_encoder *encoder, uint32_t limit) {
  if (limit > HEADER_TABLE) limit = HEADER_TABLE;
  encoder->limit_changed |= limit != encoder->limit;
  encoder->limit = limit;
  evict_to(encoder, limit);
}

/* An integer of RFC 7541 section 5.1, with `bits` bits in the first byte. */
static uint8_t *put_integer(uint8_t *at, int first, int bits, uint64_t value) {
  uint64_t most = (1u << bits) - 1;
  if (value < most) {
    *at++ = (uint8_t)(first | (int)value);
    return at;
  }
  *at++ = (uint8_t)(first | (int)most);
  for (value -= most; value >= 0x80; value >>= 7) *at++ = (uint8_t)(value | 0x80);
  *at++ = (uint8_t)value;
  return at;
}

static uint8_t *put_plain(uint8_t *at, const char *text, size_t length) {
  at = put_integer(at, 0, 7, length);
  memcpy(at, text, length);
  return at + length;
}

/* libnghttp2 codes the value of a field named "a"; the field's first three bytes are its kind and its name. */
static uint8_t *put_huffman(struct header_encoder *encoder, uint8_t *at, const char *text, size_t length) {
  uint8_t coded[1024];
  nghttp2_nv field = {(uint8_t *)"a", (uint8_t *)text, 1, length, NGHTTP2_NV_FLAG_NO_INDEX};
  size_t used = (size_t)nghttp2_hd_deflate_hd(encoder->huffman, coded, sizeof coded, &field, 1);
  memcpy(at, coded + 3, used - 3);
  return at + used - 3;
}

static void add_entry(struct header_encoder *encoder, int place, uint32_t size) {
  if (size > encoder->limit) {
    evict_to(encoder, 0);
    return;
  }
  evict_to(encoder, encoder->limit - size);
  encoder->sizes[encoder->added++ % HEADER_ENTRIES] = size;
  encoder->size += size;
  encoder->entry_of[place] = encoder->added;
}

static uint8_t *put_header(struct header_encoder *encoder, uint8_t *at, const struct header *header) {
  if (header->static_field) return put_integer(at, 0x80, 7, (uint64_t)header->static_field);
  uint64_t entry = encoder->entry_of[header->place];
  bool known = entry > encoder->evicted;
  uint64_t index = STATIC_ENTRIES + 1 + encoder->added - entry;
  if (known && !header->varies) return put_integer(at, 0x80, 7, index);
  size_t name = strlen(header->name), value = strlen(header->value);
  if (header->static_name) at = put_integer(at, 0x40, 6, (uint64_t)header->static_name);
  else if (known) at = put_integer(at, 0x40, 6, index);
  else *at++ = 0x40, at = put_plain(at, header->name, name);
  at = header->varies ? put_huffman(encoder, at, header->value, value) : put_plain(at, header->value, value);
  add_entry(encoder, header->place, (uint32_t)(name + value + 32));
  return at;
}

uint8_t *header_encode(struct header_encoder *encoder, uint8_t *to, const struct header *headers, size_t count) {
  if (encoder->limit_changed) to = put_integer(to, 0x20, 5, encoder->limit);
  encoder->limit_changed = false;
  for (size_t i = 0; i < count; i++) to = put_header(encoder, to, &headers[i]);
  return to;
}
