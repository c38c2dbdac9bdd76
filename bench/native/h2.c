#include "h2.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define INPUT_BYTES (256u * 1024)
#define FRAME_HEADER 9
#define DEFAULT_WINDOW 65535
#define DEFAULT_FRAME 16384
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, PRIORITIZED = 32 };
enum { HEADER_TABLE_SIZE = 1, MAX_CONCURRENT_STREAMS = 3, INITIAL_WINDOW_SIZE = 4, MAX_FRAME_SIZE = 5 };

static uint32_t get32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void frame_header(uint8_t *at, size_t length, int type, int flags, uint32_t id) {
  put32(at, (uint32_t)length << 8 | (uint32_t)type);
  at[4] = (uint8_t)flags;
  put32(at + 5, id);
}

static void send_frame(struct h2_conn *conn, int type, int flags, uint32_t id, const void *payload, size_t length) {
  uint8_t header[FRAME_HEADER];
  frame_header(header, length, type, flags, id);
  sock_copy(&conn->sock, header, sizeof header);
  sock_copy(&conn->sock, payload, length);
}

static void send_number(struct h2_conn *conn, int type, uint32_t id, uint32_t number) {
  uint8_t payload[4];
  put32(payload, number);
  send_frame(conn, type, 0, id, payload, sizeof payload);
}

void h2_start(struct h2_conn *conn, bool client, const struct h2_events *events, uint32_t stream_window,
              uint32_t conn_window) {
  conn->client = client;
  conn->events = events;
  conn->stream_window = stream_window;
  conn->conn_window = conn_window;
  conn->next_id = 1;
  conn->max_streams = UINT32_MAX;
  conn->window = conn->peer_window = DEFAULT_WINDOW;
  conn->peer_frame = DEFAULT_FRAME;
  conn->input = malloc(INPUT_BYTES);
  header_encoder_start(&conn->encoder);
  nghttp2_hd_inflate_new(&conn->inflater);
  if (client) sock_copy(&conn->sock, PREFACE, sizeof PREFACE - 1);
  uint8_t settings[12];
  settings[0] = settings[6] = 0;
  settings[1] = INITIAL_WINDOW_SIZE;
  put32(settings + 2, stream_window);
  settings[7] = MAX_CONCURRENT_STREAMS;
  put32(settings + 8, client ? 0 : 2000);
  send_frame(conn, SETTINGS, 0, 0, settings, client ? 6 : sizeof settings);
  if (conn_window > DEFAULT_WINDOW) send_number(conn, WINDOW_UPDATE, 0, conn_window - DEFAULT_WINDOW);
}

void h2_free(struct h2_conn *conn) {
  for (size_t i = 0; i < H2_SLOTS; i++) {
    for (struct h2_stream *stream = conn->slots[i], *next; stream; stream = next) next = stream->chain, free(stream);
  }
  for (struct h2_stream *stream = conn->spare, *next; stream; stream = next) next = stream->chain, free(stream);
  header_encoder_free(&conn->encoder);
  nghttp2_hd_inflate_del(conn->inflater);
  sock_close(&conn->sock);
  free(conn->input);
  free(conn);
}

static struct h2_stream **slot_of(struct h2_conn *conn, uint32_t id) {
  struct h2_stream **slot = &conn->slots[(id >> 1) % H2_SLOTS];
  while (*slot && (*slot)->id != id) slot = &(*slot)->chain;
  return slot;
}

static struct h2_stream *add_stream(struct h2_conn *conn, uint32_t id) {
  struct h2_stream *stream = conn->spare;
  if (stream) conn->spare = stream->chain;
  else stream = malloc(sizeof *stream);
  *stream = (struct h2_stream){.id = id, .window = conn->peer_window};
  *slot_of(conn, id) = stream;
  return stream;
}

static void leave_senders(struct h2_conn *conn, struct h2_stream *stream) {
  struct h2_stream *before = NULL;
  for (struct h2_stream *at = conn->first_sender; at && at != stream; at = at->next_sender) before = at;
  if (before) before->next_sender = stream->next_sender;
  else conn->first_sender = stream->next_sender;
  if (conn->last_sender == stream) conn->last_sender = before;
  stream->sending = false;
}

static void forget(struct h2_conn *conn, struct h2_stream *stream) {
  if (stream->sending) leave_senders(conn, stream);
  *slot_of(conn, stream->id) = stream->chain;
  stream->chain = conn->spare;
  conn->spare = stream;
}

static void forget_if_done(struct h2_conn *conn, struct h2_stream *stream) {
  if (stream->local_done && stream->remote_done) forget(conn, stream);
}

struct h2_stream *h2_open(struct h2_conn *conn) {
  struct h2_stream *stream = add_stream(conn, conn->next_id);
  conn->next_id += 2;
  return stream;
}

void h2_send_headers(struct h2_conn *conn, struct h2_stream *stream, const struct header *headers, size_t count,
                     bool end) {
  uint8_t frame[FRAME_HEADER + DEFAULT_FRAME];
  size_t length = (size_t)(header_encode(&conn->encoder, frame + FRAME_HEADER, headers, count) - frame) - FRAME_HEADER;
  frame_header(frame, length, HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream->id);
  sock_copy(&conn->sock, frame, FRAME_HEADER + length);
  if (!end) return;
  stream->local_done = true;
  forget_if_done(conn, stream);
}

/* Sends one DATA frame of the stream's body; false when a window is shut. */
static bool send_data(struct h2_conn *conn, struct h2_stream *stream) {
  uint64_t left = stream->body.total - stream->sent;
  int64_t length = conn->peer_frame;
  if ((uint64_t)length > left) length = (int64_t)left;
  if (length > stream->window) length = stream->window;
  if (length > conn->window) length = conn->window;
  if (length <= 0) return false;
  uint8_t header[FRAME_HEADER];
  bool end = (uint64_t)length == left && stream->local_done;
  frame_header(header, (size_t)length, DATA, end ? END_STREAM : 0, stream->id);
  sock_copy(&conn->sock, header, sizeof header);
  stream->window -= length;
  conn->window -= length;
  while (length > 0) {
    struct iovec piece = body_piece(&stream->body, stream->sent, (size_t)length);
    sock_refer(&conn->sock, piece.iov_base, piece.iov_len);
    stream->sent += piece.iov_len;
    length -= (int64_t)piece.iov_len;
  }
  return true;
}

static void body_done(struct h2_conn *conn, struct h2_stream *stream) {
  if (stream->local_done) forget_if_done(conn, stream);
  else conn->events->body_sent(conn, stream);
}

static void join_senders(struct h2_conn *conn, struct h2_stream *stream) {
  stream->sending = true;
  stream->next_sender = NULL;
  if (conn->last_sender) conn->last_sender->next_sender = stream;
  else conn->first_sender = stream;
  conn->last_sender = stream;
}

void h2_send_body(struct h2_conn *conn, struct h2_stream *stream, const struct body *body, bool end) {
  stream->body = *body;
  stream->sent = 0;
  /* local_done with a body that is not all sent means: the last frame ends the stream. */
  stream->local_done = end;
  bool small = body->total <= conn->peer_frame && !conn->first_sender && send_data(conn, stream);
  if (small && stream->sent == body->total) body_done(conn, stream);
  else join_senders(conn, stream);
}

/* One frame of each stream in turn, while there is room; streams whose window is shut leave the turn until it opens. */
static void send_bodies(struct h2_conn *conn) {
  while (conn->first_sender && conn->window > 0 && sock_roomy(&conn->sock)) {
    struct h2_stream *stream = conn->first_sender;
    bool sent = send_data(conn, stream);
    leave_senders(conn, stream);
    if (stream->sent == stream->body.total) body_done(conn, stream);
    else if (sent) join_senders(conn, stream);
  }
}

void h2_reset(struct h2_conn *conn, struct h2_stream *stream, uint32_t code) {
  send_number(conn, RST_STREAM, stream->id, code);
  forget(conn, stream);
}

static void return_stream_credit(struct h2_conn *conn, struct h2_stream *stream, uint32_t at_least) {
  if (stream->unreturned <= at_least || stream->remote_done) return;
  send_number(conn, WINDOW_UPDATE, stream->id, stream->unreturned);
  stream->unreturned = 0;
}

static void return_conn_credit(struct h2_conn *conn, uint32_t at_least) {
  if (conn->unreturned <= at_least) return;
  send_number(conn, WINDOW_UPDATE, 0, conn->unreturned);
  conn->unreturned = 0;
}

void h2_return_credit(struct h2_conn *conn) {
  conn->keep_credit = false;
  return_conn_credit(conn, 0);
  for (size_t i = 0; i < H2_SLOTS; i++) {
    for (struct h2_stream *stream = conn->slots[i]; stream; stream = stream->chain) return_stream_credit(conn, stream, 0);
  }
}

static void remote_end(struct h2_conn *conn, struct h2_stream *stream, bool trailers) {
  uint32_t id = stream->id;
  stream->remote_done = true;
  conn->events->ended(conn, stream, trailers);
  /* The answer may have ended it. */
  if (*slot_of(conn, id) == stream) forget_if_done(conn, stream);
}

static void on_data(struct h2_conn *conn, struct h2_stream *stream, int flags, const uint8_t *at, size_t length) {
  uint32_t taken = (uint32_t)length;
  conn->unreturned += taken;
  if (flags & PADDED) {
    if (length == 0 || at[0] >= length) die("DATA with more padding than content");
    length -= 1u + at[0];
    at++;
  }
  if (!conn->keep_credit) return_conn_credit(conn, conn->conn_window / 4);
  if (!stream) return;
  if (stream->remote_done) die("DATA after the end of stream %u", stream->id);
  stream->unreturned += taken;
  if (length > 0) conn->events->data(conn, stream, at, length);
  stream->received += length;
  if (flags & END_STREAM) {
    remote_end(conn, stream, false);
  } else if (!conn->keep_credit) return_stream_credit(conn, stream, conn->stream_window / 4);
}

/* Tells the fields of a block. Blocks of streams that were given up are decoded too, as the table has to stay right. */
static void read_block(struct h2_conn *conn, struct h2_stream *stream, const uint8_t *at, size_t length) {
  for (;;) {
    nghttp2_nv field;
    int flags = 0;
    ssize_t used = nghttp2_hd_inflate_hd2(conn->inflater, &field, &flags, at, length, 1);
    if (used < 0) die("HPACK: %s", nghttp2_strerror((int)used));
    at += used, length -= (size_t)used;
    if (flags & NGHTTP2_HD_INFLATE_EMIT) {
      if (stream) conn->events->field(conn, stream, &field);
    }
    if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
  }
  nghttp2_hd_inflate_end_headers(conn->inflater);
}

static void on_headers(struct h2_conn *conn, uint32_t id, int flags, const uint8_t *at, size_t length) {
  if (!(flags & END_HEADERS)) die("a header block of more than one frame");
  if (flags & PADDED) {
    if (length == 0 || at[0] >= length) die("HEADERS with more padding than content");
    length -= 1u + at[0];
    at++;
  }
  if (flags & PRIORITIZED) at += 5, length -= 5;
  struct h2_stream *stream = *slot_of(conn, id);
  if (!stream && !conn->client) {
    if (id < conn->next_id || id % 2 == 0) die("HEADERS on stream %u, which cannot be opened", id);
    conn->next_id = id + 2;
    stream = add_stream(conn, id);
    conn->events->opened(conn, stream);
  }
  read_block(conn, stream, at, length);
  if (stream && flags & END_STREAM) remote_end(conn, stream, true);
}

static void move_windows(struct h2_conn *conn, int64_t by) {
  for (size_t i = 0; i < H2_SLOTS; i++) {
    for (struct h2_stream *stream = conn->slots[i]; stream; stream = stream->chain) {
      stream->window += by;
      if (!stream->sending && stream->sent < stream->body.total) join_senders(conn, stream);
    }
  }
}

static void on_settings(struct h2_conn *conn, int flags, const uint8_t *at, size_t length) {
  if (flags & ACK) return;
  for (; length >= 6; at += 6, length -= 6) {
    uint32_t value = get32(at + 2);
    int name = at[0] << 8 | at[1];
    if (name == HEADER_TABLE_SIZE) header_encoder_limit(&conn->encoder, value);
    else if (name == MAX_CONCURRENT_STREAMS) conn->max_streams = value;
    else if (name == MAX_FRAME_SIZE) conn->peer_frame = value < DEFAULT_FRAME ? value : DEFAULT_FRAME;
    else if (name == INITIAL_WINDOW_SIZE) {
      move_windows(conn, (int64_t)value - conn->peer_window);
      conn->peer_window = value;
    }
  }
  send_frame(conn, SETTINGS, ACK, 0, NULL, 0);
}

static void on_window_update(struct h2_conn *conn, uint32_t id, uint32_t by) {
  if (id == 0) {
    conn->window += by;
    return;
  }
  struct h2_stream *stream = *slot_of(conn, id);
  if (!stream) return;
  stream->window += by;
  if (!stream->sending && stream->sent < stream->body.total) join_senders(conn, stream);
}

static void on_frame(struct h2_conn *conn, int type, int flags, uint32_t id, const uint8_t *at, size_t length) {
  struct h2_stream *stream;
  switch (type) {
    case DATA: on_data(conn, *slot_of(conn, id), flags, at, length); break;
    case HEADERS: on_headers(conn, id, flags, at, length); break;
    case SETTINGS: on_settings(conn, flags, at, length); break;
    case WINDOW_UPDATE: on_window_update(conn, id, get32(at) & 0x7fffffff); break;
    case GOAWAY: conn->closing = true; break;
    case PING:
      if (!(flags & ACK)) send_frame(conn, PING, ACK, 0, at, 8);
      break;
    case RST_STREAM:
      stream = *slot_of(conn, id);
      if (!stream) break;
      conn->events->reset(conn, stream, get32(at));
      forget(conn, stream);
      break;
    case CONTINUATION: case PUSH_PROMISE: die("a frame of type %d, which nothing should send here", type);
    default: break;
  }
}

/* Handles the whole frames of the input and keeps the rest for the next read. */
static void read_frames(struct h2_conn *conn) {
  const uint8_t *at = conn->input, *end = at + conn->input_length;
  size_t preface = sizeof PREFACE - 1;
  if (!conn->client && conn->next_id == 1) {
    /* Until the first stream opens, the preface may still be ahead; it looks like no frame. */
    if ((size_t)(end - at) < 3) return;
    if (memcmp(at, PREFACE, 3) == 0) {
      if ((size_t)(end - at) < preface) return;
      at += preface;
    }
  }
  while ((size_t)(end - at) >= FRAME_HEADER) {
    size_t length = get32(at) >> 8;
    if (length > DEFAULT_FRAME) die("a frame of %zu bytes", length);
    if ((size_t)(end - at) < FRAME_HEADER + length) break;
    on_frame(conn, at[3], at[4], get32(at + 5) & 0x7fffffff, at + FRAME_HEADER, length);
    at += FRAME_HEADER + length;
  }
  conn->input_length = (size_t)(end - at);
  memmove(conn->input, at, conn->input_length);
}

bool h2_step(struct h2_conn *conn, bool readable) {
  while (readable) {
    long count = sock_read(&conn->sock, conn->input + conn->input_length, INPUT_BYTES - conn->input_length);
    if (count < 0) return false;
    conn->input_length += (size_t)count;
    if (count > 0) read_frames(conn);
    /* What TLS has decrypted already wakes nobody. */
    readable = conn->sock.tls && SSL_pending(conn->sock.tls) > 0;
  }
  if (!sock_flush(&conn->sock)) return false;
  send_bodies(conn);
  return sock_flush(&conn->sock);
}

void h2_watch(struct h2_conn *conn, int poll, bool reads) {
  bool sends = conn->sock.pending > 0 || (conn->first_sender && conn->window > 0);
  /* EPOLLPRI, which never happens, so that waiting for nothing is told from not being in `poll`. */
  uint32_t wanted = EPOLLPRI | (reads ? EPOLLIN : 0) | (sends ? EPOLLOUT : 0);
  if (wanted == conn->watched) return;
  struct epoll_event event = {wanted, {.ptr = conn}};
  epoll_ctl(poll, conn->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, conn->sock.fd, &event);
  conn->watched = wanted;
}
