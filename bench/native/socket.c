#define _GNU_SOURCE
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Smaller pieces are cheaper to copy than to refer to. */
#define SMALL 512

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

int sock_listen(int *port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  if (fd < 0 || bind(fd, (struct sockaddr *)&at, length) || listen(fd, 1024)) die("listen: %s", strerror(errno));
  getsockname(fd, (struct sockaddr *)&at, &length);
  *port = ntohs(at.sin_port);
  return fd;
}

void sock_adopt(struct sock *sock, int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  *sock = (struct sock){.fd = fd, .copied = malloc(OUTPUT_BYTES)};
}

void sock_connect(struct sock *sock, const char *host, int port, SSL_CTX *tls) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &at.sin_addr) != 1) die("%s is not an IPv4 address", host);
  if (connect(fd, (struct sockaddr *)&at, sizeof at)) die("connect to %s:%d: %s", host, port, strerror(errno));
  SSL *session = NULL;
  if (tls) {
    session = SSL_new(tls);
    SSL_set_fd(session, fd);
    SSL_set_alpn_protos(session, (const unsigned char *)"\x02h2", 3);
    SSL_set_mode(session, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_connect(session) != 1) die("TLS: %s", ERR_reason_error_string(ERR_get_error()));
    const unsigned char *chosen;
    unsigned length;
    SSL_get0_alpn_selected(session, &chosen, &length);
    if (length != 2) die("TLS: the other side did not choose h2");
  }
  sock_adopt(sock, fd);
  sock->tls = session;
}

void sock_close(struct sock *sock) {
  if (sock->tls) SSL_free(sock->tls);
  close(sock->fd);
  free(sock->copied);
}

static void add_piece(struct sock *sock, const void *bytes, size_t length) {
  sock->pending += length;
  if (sock->last > sock->first) {
    struct iovec *before = &sock->pieces[sock->last - 1];
    if ((const uint8_t *)before->iov_base + before->iov_len == bytes) {
      before->iov_len += length;
      return;
    }
  }
  if (sock->last == OUTPUT_PIECES) die("more output than there are pieces for");
  sock->pieces[sock->last++] = (struct iovec){(void *)bytes, length};
}

void sock_copy(struct sock *sock, const void *bytes, size_t length) {
  if (sock->copied_length + length > OUTPUT_BYTES) die("more output than the other side reads");
  uint8_t *to = sock->copied + sock->copied_length;
  memcpy(to, bytes, length);
  sock->copied_length += length;
  add_piece(sock, to, length);
}

void sock_refer(struct sock *sock, const void *bytes, size_t length) {
  if (sock->tls || length < SMALL) sock_copy(sock, bytes, length);
  else add_piece(sock, bytes, length);
}

bool sock_roomy(const struct sock *sock) {
  return sock->pending < 256u * 1024 && sock->copied_length < OUTPUT_BYTES / 2 && sock->last < OUTPUT_PIECES / 2;
}

static void written(struct sock *sock, size_t count) {
  sock->pending -= count;
  while (count > 0) {
    struct iovec *piece = &sock->pieces[sock->first];
    size_t done = count < piece->iov_len ? count : piece->iov_len;
    piece->iov_base = (uint8_t *)piece->iov_base + done;
    piece->iov_len -= done;
    count -= done;
    if (piece->iov_len == 0) sock->first++;
  }
  if (sock->first == sock->last) sock->first = sock->last = 0, sock->copied_length = 0;
}

/* Makes room by moving the waiting pieces to the front. */
static void compact(struct sock *sock) {
  if (sock->first == 0) return;
  memmove(sock->pieces, sock->pieces + sock->first, (size_t)(sock->last - sock->first) * sizeof *sock->pieces);
  sock->last -= sock->first;
  sock->first = 0;
}

bool sock_flush(struct sock *sock) {
  while (sock->pending > 0) {
    struct iovec *pieces = &sock->pieces[sock->first];
    long count;
    if (sock->tls) {
      count = SSL_write(sock->tls, pieces->iov_base, (int)pieces->iov_len);
      if (count <= 0) {
        int reason = SSL_get_error(sock->tls, (int)count);
        if (reason != SSL_ERROR_WANT_WRITE && reason != SSL_ERROR_WANT_READ) return false;
        break;
      }
    } else {
      count = writev(sock->fd, pieces, sock->last - sock->first);
      if (count < 0) {
        if (errno != EAGAIN) return false;
        break;
      }
    }
    written(sock, (size_t)count);
  }
  compact(sock);
  return true;
}

long sock_read(struct sock *sock, void *to, size_t room) {
  if (!sock->tls) {
    long count = read(sock->fd, to, room);
    if (count > 0) return count;
    return count < 0 && errno == EAGAIN ? 0 : -1;
  }
  size_t total = 0;
  while (total < room) {
    int count = SSL_read(sock->tls, (uint8_t *)to + total, (int)(room - total));
    if (count > 0) {
      total += (size_t)count;
      continue;
    }
    int reason = SSL_get_error(sock->tls, count);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE || total > 0) break;
    return -1;
  }
  return (long)total;
}
