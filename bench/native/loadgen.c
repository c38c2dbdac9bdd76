/*
 * The load of the benchmark: gRPC calls over HTTP/2 from one thread, every answer checked.
 *
 *   loadgen HOST:PORT unary|download|upload|replay [--tls] [--connections N] [--inflight N] [--seconds S] [--calls N]
 *           [--bytes N] [--digests N] [--varying] [--check] [--stall windows|socket] [--path PATH --requests FILE [--again]]
 *
 * Keeps `inflight` calls open on each connection and starts no more after S seconds or N calls in all. `--varying` gives
 * each call request metadata of its own. `--check` compares streamed bytes, at both ends, not only their count. `--stall`
 * starts every call, takes nothing of the answers (with the windows shut, or without reading the socket), prints
 * "stalled", and goes on when the standard input ends. `replay` calls the method at PATH with the requests in FILE (gRPC
 * messages with their prefixes, one after the other), each once, or with `--again` in turns until time is up; of the
 * answers only the form is checked. Prints one line of JSON; latencies are microseconds. Exits with 1 if a call went wrong.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "h2.h"

#define STREAM_WINDOW (4u << 20)
#define CONN_WINDOW (16u << 20)
#define SHUT_WINDOW 65535u
#define WIDE_WINDOW (1u << 30)
#define SAMPLES (1u << 21)
#define PREFIX 5u
#define SERVICE_RE "/build.bazel.remote.execution.v2."
#define METADATA "build.bazel.remote.execution.v2.requestmetadata-bin"

enum { UNARY, DOWNLOAD, UPLOAD, REPLAY };
enum { HAS_HEAD = 1, HAS_TYPE = 2, WRONG_BYTES = 4 };
enum { NO_STALL, STALL_WINDOWS, STALL_SOCKET };

static struct {
  char host[64];
  int port, kind, stall;
  bool tls, varying, check, again;
  const char *path, *requests;
  int connections, inflight, digests;
  double seconds;
  uint64_t calls, bytes;
} options = {.connections = 1, .inflight = 1, .digests = 2, .seconds = 1e9, .calls = UINT64_MAX, .bytes = 64u << 20};

static struct body request, reply;
/* What is replayed. */
static struct body *replayed;
static size_t replay_count;
static uint64_t started, calls, finished, open_calls, good, bad, reply_bytes;
static char reason[256];
static uint32_t *samples;
/* Base64 of a RequestMetadata as Bazel 8.1.0 sends it: tool, action, invocations and mnemonic. */
static char metadata[241] =
  "Cg4KBWJhemVsEgU4LjEuMBJAYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"
  "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYRokYmJiYmJi"
  "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiIiRjY2NjY2NjY2NjY2Nj"
  "Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2MqFE1NTU1NTU1NTU1NTU1NTU1NTU1N";

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static bool may_start(void) {
  if (options.kind == REPLAY && !options.again && calls >= replay_count) return false;
  return calls < options.calls && (double)(now() - started) < options.seconds * 1e9;
}

/* As a tool that names the action of each call: 80 of 240 characters differ. */
static void vary_metadata(void) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static uint64_t state = 1;
  for (int i = 28; i < 108; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    metadata[i] = digits[state >> 58];
  }
}

static const char *path_of(int kind) {
  if (kind == REPLAY) return options.path;
  if (kind == UNARY) return SERVICE_RE "ContentAddressableStorage/FindMissingBlobs";
  return kind == DOWNLOAD ? "/google.bytestream.ByteStream/Read" : "/google.bytestream.ByteStream/Write";
}

static void start_call(struct h2_conn *conn) {
  struct header headers[] = {
    {.name = ":method", .value = "POST", .static_field = 3},
    {.name = ":scheme", .value = options.tls ? "https" : "http", .static_field = options.tls ? 7 : 6},
    {.name = ":path", .value = path_of(options.kind), .static_name = 4},
    {.name = ":authority", .value = "cache.example.com", .static_name = 1, .place = 1},
    {.name = "te", .value = "trailers", .place = 2},
    {.name = "content-type", .value = "application/grpc", .static_name = 31, .place = 3},
    {.name = "user-agent", .value = "grpc-java-netty/1.50.0", .static_name = 58, .place = 4},
    {.name = "grpc-timeout", .value = "600S", .place = 5},
    {.name = "authorization", .value = "Bearer 0123456789abcdef0123456789abcdef01234567", .static_name = 23, .place = 6},
    {.name = METADATA, .value = metadata, .place = 7, .varies = options.varying},
    {.name = "x-benchmark-check", .value = "1", .place = 8},
  };
  if (options.varying) vary_metadata();
  struct h2_stream *stream = h2_open(conn);
  stream->status = -1;
  stream->started = now();
  stream->expected = reply;
  const struct body *body = options.kind == REPLAY ? &replayed[calls % replay_count] : &request;
  calls++;
  open_calls++;
  h2_send_headers(conn, stream, headers, options.check ? 11 : 10, false);
  h2_send_body(conn, stream, body, true);
}

static void start_calls(struct h2_conn *conn, int count) {
  while (count-- > 0 && may_start()) start_call(conn);
}

static void over(struct h2_conn *conn, struct h2_stream *stream, const char *wrong) {
  uint64_t micros = (now() - stream->started) / 1000;
  if (finished < SAMPLES) samples[finished] = micros > UINT32_MAX ? UINT32_MAX : (uint32_t)micros;
  finished++;
  open_calls--;
  reply_bytes += stream->received;
  if (!wrong) good++;
  else if (bad++ == 0) snprintf(reason, sizeof reason, "%s", wrong);
  start_calls(conn, 1);
}

static void on_opened(struct h2_conn *conn, struct h2_stream *stream) { (void)conn, (void)stream; }

static void on_field(struct h2_conn *conn, struct h2_stream *stream, const nghttp2_nv *field) {
  (void)conn;
  static const char status[] = "grpc-status", type[] = "content-type", grpc[] = "application/grpc";
  if (field->namelen == 7 && memcmp(field->name, ":status", 7) == 0) {
    if (field->valuelen == 3 && memcmp(field->value, "200", 3) == 0) stream->flags |= HAS_HEAD;
  } else if (field->namelen == sizeof type - 1 && memcmp(field->name, type, field->namelen) == 0) {
    if (field->valuelen == sizeof grpc - 1 && memcmp(field->value, grpc, field->valuelen) == 0) stream->flags |= HAS_TYPE;
  } else if (field->namelen == sizeof status - 1 && memcmp(field->name, status, field->namelen) == 0) {
    stream->status = 0;
    for (size_t i = 0; i < field->valuelen; i++) stream->status = stream->status * 10 + field->value[i] - '0';
  }
}

static void on_data(struct h2_conn *conn, struct h2_stream *stream, const uint8_t *bytes, size_t length) {
  (void)conn;
  if (options.kind == REPLAY || (options.kind == DOWNLOAD && !options.check)) return;
  if (!body_matches(&stream->expected, stream->received, bytes, length)) stream->flags |= WRONG_BYTES;
}

static void on_ended(struct h2_conn *conn, struct h2_stream *stream, bool trailers) {
  char wrong[128] = "";
  if (!trailers) snprintf(wrong, sizeof wrong, "no trailers");
  else if (!(stream->flags & HAS_HEAD) || !(stream->flags & HAS_TYPE)) snprintf(wrong, sizeof wrong, "no gRPC answer");
  else if (stream->status != 0) snprintf(wrong, sizeof wrong, "grpc-status %d", stream->status);
  else if (stream->flags & WRONG_BYTES) snprintf(wrong, sizeof wrong, "the reply has other bytes");
  else if (options.kind == REPLAY) {
    if (stream->received <= PREFIX) snprintf(wrong, sizeof wrong, "an empty answer");
  } else if (stream->received != stream->expected.total)
    snprintf(wrong, sizeof wrong, "%llu bytes of %llu", (unsigned long long)stream->received,
             (unsigned long long)stream->expected.total);
  over(conn, stream, wrong[0] ? wrong : NULL);
}

static void on_body_sent(struct h2_conn *conn, struct h2_stream *stream) { (void)conn, (void)stream; }

static void on_reset(struct h2_conn *conn, struct h2_stream *stream, uint32_t code) {
  char wrong[64];
  snprintf(wrong, sizeof wrong, "reset with code %u", code);
  over(conn, stream, wrong);
}

static const struct h2_events events = {on_opened, on_field, on_data, on_ended, on_body_sent, on_reset};

static struct h2_conn *open_connection(SSL_CTX *tls) {
  struct h2_conn *conn = calloc(1, sizeof *conn);
  sock_connect(&conn->sock, options.host, options.port, tls);
  conn->keep_credit = options.stall == STALL_WINDOWS;
  uint32_t window = options.stall == STALL_WINDOWS ? SHUT_WINDOW : options.stall == STALL_SOCKET ? WIDE_WINDOW : 0;
  h2_start(conn, true, &events, window ? window : STREAM_WINDOW, window ? WIDE_WINDOW : CONN_WINDOW);
  return conn;
}

/* Waits until nobody sends any more, says so, and lets everything go on once the standard input ends. */
static void end_stall(struct h2_conn **conns, int poll) {
  char byte;
  printf("stalled\n");
  fflush(stdout);
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  options.stall = NO_STALL;
  for (int i = 0; i < options.connections; i++) {
    if (conns[i]->keep_credit) h2_return_credit(conns[i]);
    h2_step(conns[i], false);
    h2_watch(conns[i], poll, true);
  }
}

static void run(struct h2_conn **conns, int poll) {
  bool stalled = options.stall != NO_STALL;
  bool reads = options.stall != STALL_SOCKET;
  for (int i = 0; i < options.connections; i++) {
    start_calls(conns[i], options.inflight);
    h2_step(conns[i], false);
    h2_watch(conns[i], poll, reads);
  }
  while (open_calls > 0) {
    struct epoll_event ready[64];
    int count = epoll_wait(poll, ready, 64, stalled ? 1000 : 30000);
    if (count == 0 && !stalled) die("nothing arrived for 30 s with %llu calls open", (unsigned long long)open_calls);
    if (count == 0) {
      end_stall(conns, poll);
      stalled = false;
      reads = true;
    }
    for (int i = 0; i < count; i++) {
      struct h2_conn *conn = ready[i].data.ptr;
      bool readable = reads && ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR);
      if (!h2_step(conn, readable)) die("the connection was closed with %llu calls open", (unsigned long long)open_calls);
      if (conn->closing && open_calls > 0 && may_start()) die("the connection was told to go away");
      h2_watch(conn, poll, reads);
    }
  }
}

static int by_size(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static void report(double seconds) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  size_t count = finished < SAMPLES ? (size_t)finished : SAMPLES;
  qsort(samples, count, sizeof *samples, by_size);
  uint32_t p50 = count ? samples[count / 2] : 0, p99 = count ? samples[count - 1 - count / 100] : 0;
  uint64_t bytes = options.kind == UPLOAD ? good * request.total : reply_bytes;
  printf("{\"calls\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"p50\":%u,\"p99\":%u}\n",
         (unsigned long long)good, (unsigned long long)bytes, seconds, cpu, p50, p99);
}

/* Finds the messages in the file of requests. */
static void read_requests(void) {
  FILE *file = fopen(options.requests, "rb");
  if (!file) die("cannot open %s", options.requests);
  fseek(file, 0, SEEK_END);
  size_t length = (size_t)ftell(file), room = 0;
  uint8_t *bytes = malloc(length + 1);
  rewind(file);
  if (fread(bytes, 1, length, file) != length) die("cannot read %s", options.requests);
  fclose(file);
  for (size_t at = 0, size; at < length; at += size) {
    if (length - at < PREFIX) die("%s ends within a message", options.requests);
    size = PREFIX + ((size_t)bytes[at + 1] << 24 | (size_t)bytes[at + 2] << 16 | (size_t)bytes[at + 3] << 8 | bytes[at + 4]);
    if (length - at < size) die("%s ends within a message", options.requests);
    if (replay_count == room) replayed = realloc(replayed, (room = 2 * room + 64) * sizeof *replayed);
    replayed[replay_count++] = (struct body){.heads = bytes + at, .head = size, .messages = 1, .total = size};
  }
  if (replay_count == 0) die("%s has no requests", options.requests);
}

static void parse(int count, char **words) {
  char kind[16] = "";
  if (count < 3 || sscanf(words[1], "%63[0-9.]:%d", options.host, &options.port) != 2)
    die("usage: loadgen HOST:PORT KIND ...");
  snprintf(kind, sizeof kind, "%s", words[2]);
  options.kind = !strcmp(kind, "unary") ? UNARY : !strcmp(kind, "download") ? DOWNLOAD : !strcmp(kind, "upload") ? UPLOAD : REPLAY;
  for (int i = 3; i < count; i++) {
    const char *flag = words[i], *value = i + 1 < count ? words[i + 1] : "";
    if (!strcmp(flag, "--tls")) options.tls = true;
    else if (!strcmp(flag, "--varying")) options.varying = true;
    else if (!strcmp(flag, "--check")) options.check = true;
    else if (!strcmp(flag, "--again")) options.again = true;
    else {
      i++;
      if (!strcmp(flag, "--connections")) options.connections = atoi(value);
      else if (!strcmp(flag, "--inflight")) options.inflight = atoi(value);
      else if (!strcmp(flag, "--digests")) options.digests = atoi(value);
      else if (!strcmp(flag, "--seconds")) options.seconds = atof(value);
      else if (!strcmp(flag, "--calls")) options.calls = strtoull(value, NULL, 10);
      else if (!strcmp(flag, "--bytes")) options.bytes = strtoull(value, NULL, 10);
      else if (!strcmp(flag, "--path")) options.path = value;
      else if (!strcmp(flag, "--requests")) options.requests = value;
      else if (!strcmp(flag, "--stall")) options.stall = strcmp(value, "socket") ? STALL_WINDOWS : STALL_SOCKET;
      else die("unknown flag %s", flag);
    }
  }
}

int main(int count, char **words) {
  parse(count, words);
  signal(SIGPIPE, SIG_IGN);
  bool unary = options.kind == UNARY, down = options.kind == DOWNLOAD;
  if (options.kind == REPLAY) read_requests();
  else {
    request = unary ? body_find_request(options.digests) : down ? body_read_request(options.bytes) : body_write_requests(options.bytes);
    reply = unary ? body_small_reply() : down ? body_read_reply(options.bytes) : body_write_reply(options.bytes);
  }
  samples = malloc(SAMPLES * sizeof *samples);
  vary_metadata();
  SSL_CTX *tls = options.tls ? SSL_CTX_new(TLS_client_method()) : NULL;
  int poll = epoll_create1(0);
  struct h2_conn **conns = calloc((size_t)options.connections, sizeof *conns);
  for (int i = 0; i < options.connections; i++) conns[i] = open_connection(tls);
  started = now();
  run(conns, poll);
  report((double)(now() - started) / 1e9);
  for (int i = 0; i < options.connections; i++) h2_free(conns[i]);
  if (bad > 0) fprintf(stderr, "%llu calls went wrong, the first with: %s\n", (unsigned long long)bad, reason);
  return bad > 0 || good == 0;
}
