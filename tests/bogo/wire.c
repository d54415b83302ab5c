/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The stream to the runner: its beginning, its end, and bytes both ways. */

#include "shim.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

bool
wire_connect (struct shim *shim)
{
  const struct options *o = shim->options;
  uint16_t port = htons ((uint16_t) o->port);
  struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = port };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = port };
  const struct sockaddr *address = o->is_ipv6 ? (struct sockaddr *) &v6 : (struct sockaddr *) &v4;
  uint8_t id[8];

  v4.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  v6.sin6_addr = in6addr_loopback;
  shim->fd = socket (o->is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (shim->fd < 0 || connect (shim->fd, address, o->is_ipv6 ? sizeof v6 : sizeof v4) != 0)
    return false;

  setsockopt (shim->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof (int));
  for (size_t i = 0; i < sizeof id; i++)
    id[i] = (uint8_t) (o->shim_id >> 8 * i);
  return write (shim->fd, id, sizeof id) == sizeof id;
}

void
wire_hang_up (struct shim *shim)
{
  uint8_t rest[4096];

  shutdown (shim->fd, SHUT_WR);
  while (read (shim->fd, rest, sizeof rest) > 0)
    ;
  close (shim->fd);
}

bool
wire_write (struct shim *shim, const uint8_t *at, size_t len)
{
  while (len > 0)
    {
      ssize_t n = write (shim->fd, at, len);

      if (n <= 0)
        {
          /* The runner may hang up on us at any time. */
          shim->is_over = true;
          return false;
        }
      at += n;
      len -= (size_t) n;
    }

  return true;
}

bool
wire_read (struct shim *shim, uint8_t *at, size_t len)
{
  while (len > 0)
    {
      ssize_t n = read (shim->fd, at, len);

      if (n <= 0)
        return false;
      at += n;
      len -= (size_t) n;
    }

  return true;
}

void
wire_write_datagram (struct shim *shim, const uint8_t *at, size_t len)
{
  uint8_t head[5] = { 'P', (uint8_t) (len >> 24), (uint8_t) (len >> 16), (uint8_t) (len >> 8),
                      (uint8_t) len };

  if (wire_write (shim, head, sizeof head))
    (void) wire_write (shim, at, len);
}
