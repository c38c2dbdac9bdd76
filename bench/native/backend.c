/*
 * The server behind every proxy of the benchmark: cleartext HTTP/2 on 127.0.0.1, one thread.
 * It answers FindMissingBlobs (any method it does not know, too), ByteStream.Read, ByteStream.Write and GetCapabilities, prints
 * its port, and checks what it gets: a request of a load that is not byte for byte what the generator sends is answered with grpc-status 3.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "h2.h"

#define STREAM_WINDOW (4u << 20)
#define CONN_WINDOW (16u << 20)

enum { UNARY, READ, WRITE, CAPABILITIES };
enum { HAS_TE = 1, HAS_TYPE = 2, HAS_METADATA = 4, HAS_TOKEN = 8, CHECK_ALL = 16, WRONG = 32, NAMED = 64 };

/* FindMissingBlobs for a few digests and for many: the length tells which. */
static struct body few, many, small_reply, capabilities;

/* The bodies of one blob size, made when it is first asked for. */
struct blob {
  uint64_t bytes;
  struct body read_request, read_reply, write_requests, write_reply;
};

static const struct blob *blob_of(uint64_t bytes) {
  static struct blob known[16];
  static size_t count;
  for (size_t i = 0; i < count; i++) if (known[i].bytes == bytes) return &known[i];
  if (count == 16) die("too many blob sizes");
  known[count] = (struct blob){bytes, body_read_request(bytes), body_read_reply(bytes), body_write_requests(bytes),
                               body_write_reply(bytes)};
  return &known[count++];
}

static bool is(const uint8_t *bytes, size_t length, const char *text) {
  return length == strlen(text) && memcmp(bytes, text, length) == 0;
}

static bool ends_with(const nghttp2_nv *field, const char *text) {
  size_t length = strlen(text);
  return field->valuelen >= length && memcmp(field->value + field->valuelen - length, text, length) == 0;
}

static void on_opened(struct h2_conn *conn, struct h2_stream *stream) {
  (void)conn;
  stream->kind = UNARY;
  stream->expected = few;
}

static void on_field(struct h2_conn *conn, struct h2_stream *stream, const nghttp2_nv *field) {
  (void)conn;
  const uint8_t *name = field->name;
  size_t length = field->namelen;
  if (is(name, length, ":path")) {
    if (ends_with(field, "ByteStream/Read")) stream->kind = READ;
    else if (ends_with(field, "ByteStream/Write")) stream->kind = WRITE;
    else if (ends_with(field, "Capabilities/GetCapabilities")) stream->kind = CAPABILITIES;
  } else if (is(name, length, "te")) stream->flags |= ends_with(field, "trailers") ? HAS_TE : 0;
  else if (is(name, length, "content-type")) stream->flags |= ends_with(field, "application/grpc") ? HAS_TYPE : 0;
  else if (is(name, length, "authorization")) stream->flags |= field->valuelen == 47 ? HAS_TOKEN : 0;
  else if (ends_with(&(nghttp2_nv){.value = field->name, .valuelen = length}, "requestmetadata-bin"))
    stream->flags |= field->valuelen == 240 ? HAS_METADATA : 0;
  else if (is(name, length, "x-benchmark-check")) stream->flags |= CHECK_ALL;
}

static void on_data(struct h2_conn *conn, struct h2_stream *stream, const uint8_t *bytes, size_t length) {
  (void)conn;
  if (stream->kind == CAPABILITIES) return;
  if (!(stream->flags & NAMED)) {
    /* A proxy may cut a message anywhere. */
    size_t room = sizeof stream->early - stream->early_length, kept = length < room ? length : room;
    memcpy(stream->early + stream->early_length, bytes, kept);
    stream->early_length += kept;
    if (stream->kind == UNARY) {
      if (stream->early_length < 5) return;
      if (memcmp(stream->early, many.heads, 5) == 0) stream->expected = many;
    } else {
      uint64_t size = body_named_size(stream->early, stream->early_length);
      if (size == 0) return;
      const struct blob *blob = blob_of(size);
      stream->expected = stream->kind == READ ? blob->read_request : blob->write_requests;
    }
    stream->flags |= NAMED;
    if (!body_matches(&stream->expected, 0, stream->early, stream->received)) stream->flags |= WRONG;
  }
  if (stream->kind == WRITE && !(stream->flags & CHECK_ALL)) return;
  if (!body_matches(&stream->expected, stream->received, bytes, length)) stream->flags |= WRONG;
}

static void trailers(struct h2_conn *conn, struct h2_stream *stream) {
  static const struct header ok = {.name = "grpc-status", .value = "0", .place = 1};
  static const struct header invalid = {.name = "grpc-status", .value = "3", .place = 2};
  h2_send_headers(conn, stream, stream->flags & WRONG ? &invalid : &ok, 1, true);
}

static void on_ended(struct h2_conn *conn, struct h2_stream *stream, bool block) {
  (void)block;
  static const struct header head[] = {
    {.name = ":status", .value = "200", .static_field = 8},
    {.name = "content-type", .value = "application/grpc", .static_name = 31},
  };
  static const int needed = HAS_TE | HAS_TYPE | HAS_METADATA | HAS_TOKEN;
  if (stream->kind == CAPABILITIES) {
    h2_send_headers(conn, stream, head, 2, false);
    return h2_send_body(conn, stream, &capabilities, false);
  }
  if (stream->received != stream->expected.total || (stream->flags & needed) != needed) stream->flags |= WRONG;
  h2_send_headers(conn, stream, head, 2, false);
  if (stream->flags & WRONG) return trailers(conn, stream);
  if (stream->kind == UNARY) return h2_send_body(conn, stream, &small_reply, false);
  const struct blob *blob = blob_of(stream->expected.chunk ? stream->expected.messages * CHUNK
                                                           : body_named_size(stream->expected.heads, stream->expected.head));
  h2_send_body(conn, stream, stream->kind == READ ? &blob->read_reply : &blob->write_reply, false);
}

static void on_reset(struct h2_conn *conn, struct h2_stream *stream, uint32_t code) { (void)conn, (void)stream, (void)code; }

static const struct h2_events events = {on_opened, on_field, on_data, on_ended, trailers, on_reset};

static void accept_all(int listener, int poll) {
  int fd;
  while ((fd = accept(listener, NULL, NULL)) >= 0) {
    struct h2_conn *conn = calloc(1, sizeof *conn);
    sock_adopt(&conn->sock, fd);
    h2_start(conn, false, &events, STREAM_WINDOW, CONN_WINDOW);
    h2_watch(conn, poll, true);
  }
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  int port, listener = sock_listen(&port), poll = epoll_create1(0);
  few = body_find_request(2);
  many = body_find_request(1000);
  small_reply = body_small_reply();
  capabilities = body_capabilities();
  struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  printf("%d\n", port);
  fflush(stdout);
  for (;;) {
    struct epoll_event ready[64];
    int count = epoll_wait(poll, ready, 64, -1);
    for (int i = 0; i < count; i++) {
      struct h2_conn *conn = ready[i].data.ptr;
      if (!conn) accept_all(listener, poll);
      else if (h2_step(conn, ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) h2_watch(conn, poll, true);
      else h2_free(conn);
    }
  }
}
