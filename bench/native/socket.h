/* A non-blocking socket, plain or TLS, with a queue of output that refers to memory instead of copying it where it can. */
#ifndef BENCH_SOCKET_H
#define BENCH_SOCKET_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define OUTPUT_BYTES (2u << 20)
#define OUTPUT_PIECES 512

struct sock {
  int fd;
  SSL *tls; /* NULL for plain TCP */
  uint8_t *copied; /* OUTPUT_BYTES of copies, emptied when everything is written */
  size_t copied_length;
  struct iovec pieces[OUTPUT_PIECES];
  int first, last; /* pieces[first..last) wait to be written */
  size_t pending; /* bytes that wait to be written */
};

/* Ends the program with a sentence on standard error. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A listening socket on 127.0.0.1 at a free port, which goes to `port`. */
int sock_listen(int *port);

/* Connects to an IPv4 address and port; where `tls` is not NULL, with TLS and ALPN h2, certificates unchecked. */
void sock_connect(struct sock *sock, const char *host, int port, SSL_CTX *tls);

/* Takes over a connected descriptor. */
void sock_adopt(struct sock *sock, int fd);
void sock_close(struct sock *sock);

/* Queues a copy of the bytes. */
void sock_copy(struct sock *sock, const void *bytes, size_t length);

/* Queues the bytes, which must stay as they are until written; there may be at most OUTPUT_PIECES pieces. */
void sock_refer(struct sock *sock, const void *bytes, size_t length);

/* Whether bulk output may be queued; small frames always may. */
bool sock_roomy(const struct sock *sock);

/* Writes what the kernel takes; false when the connection is gone. */
bool sock_flush(struct sock *sock);

/* Reads once: the count of bytes, 0 when there are none now, -1 when the connection is gone. */
long sock_read(struct sock *sock, void *to, size_t room);

#endif
