/*
 * The part of HTTP/2 that a benchmark of gRPC needs, for both ends, as cheap as it can be: frames and an encoder of
 * headers of our own, and libnghttp2 to decode headers. Anything a well-behaved peer would not send ends the program, so
 * that a run that finishes was a run without errors.
 */
#ifndef BENCH_H2_H
#define BENCH_H2_H

#include <nghttp2/nghttp2.h>

#include "body.h"
#include "header-encoder.h"
#include "socket.h"

struct h2_conn;

struct h2_stream {
  uint32_t id;
  bool local_done, remote_done;
  uint64_t received; /* bytes of DATA so far */
  /* For the user of the connection. */
  int kind, status, flags;
  uint64_t started;
  struct body expected;
  uint8_t early[256]; /* the beginning of a request until it says which blob it is about */
  size_t early_length;
  /* For the connection. */
  struct h2_stream *chain, *next_sender;
  struct body body;
  uint64_t sent;
  int64_t window;
  uint32_t unreturned;
  bool sending;
};

struct h2_events {
  /* A stream of the client, at its first header. */
  void (*opened)(struct h2_conn *conn, struct h2_stream *stream);
  void (*field)(struct h2_conn *conn, struct h2_stream *stream, const nghttp2_nv *field);
  void (*data)(struct h2_conn *conn, struct h2_stream *stream, const uint8_t *bytes, size_t length);
  /* The other side is done with the stream. `trailers`: with a header block. */
  void (*ended)(struct h2_conn *conn, struct h2_stream *stream, bool trailers);
  /* Our body went out whole; only where it was sent without ending the stream. */
  void (*body_sent)(struct h2_conn *conn, struct h2_stream *stream);
  void (*reset)(struct h2_conn *conn, struct h2_stream *stream, uint32_t code);
};

#define H2_SLOTS 16384

struct h2_conn {
  struct sock sock;
  const struct h2_events *events;
  void *user;
  bool client;
  bool keep_credit; /* no windows are returned while set */
  bool closing; /* the other side sent GOAWAY */
  struct header_encoder encoder;
  nghttp2_hd_inflater *inflater;
  uint8_t *input;
  size_t input_length;
  uint32_t next_id, stream_window, conn_window;
  uint32_t max_streams;
  int64_t window;
  uint32_t unreturned;
  uint32_t peer_window, peer_frame;
  struct h2_stream *first_sender, *last_sender;
  struct h2_stream *spare;
  uint32_t watched;
  struct h2_stream *slots[H2_SLOTS];
};

/* Starts HTTP/2 on a connected socket that is in `conn->sock`, and says which windows we give (bytes). */
void h2_start(struct h2_conn *conn, bool client, const struct h2_events *events, uint32_t stream_window,
              uint32_t conn_window);
void h2_free(struct h2_conn *conn);

/* A new stream of the client. */
struct h2_stream *h2_open(struct h2_conn *conn);
void h2_send_headers(struct h2_conn *conn, struct h2_stream *stream, const struct header *headers, size_t count,
                     bool end);

/* Sends a body as the windows allow; with `end` its last frame ends the stream. */
void h2_send_body(struct h2_conn *conn, struct h2_stream *stream, const struct body *body, bool end);

/* Gives up a stream and forgets it. */
void h2_reset(struct h2_conn *conn, struct h2_stream *stream, uint32_t code);

/* Returns what was kept while `keep_credit` was set. */
void h2_return_credit(struct h2_conn *conn);

/* Waits in `poll` for what the connection can do next; its events carry `conn`. */
void h2_watch(struct h2_conn *conn, int poll, bool reads);

/* Reads once, answers, and writes; `readable` false only writes. False when the connection is gone. */
bool h2_step(struct h2_conn *conn, bool readable);

#endif
