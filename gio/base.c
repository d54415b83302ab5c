/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Two forms of everything, one for a GSocket and one for the rest, and what their errors mean:
 * an ICMP error or a full device is soft, since anyone can cause it and datagrams get lost
 * anyway. */

#include "gio/base.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <string.h>

enum
{
  IPV4_UDP_HEADERS = 20 + 8, /* RFC 791 §3.1, RFC 768 */
  IPV6_UDP_HEADERS = 40 + 8, /* RFC 8200 §3 */
  DEFAULT_MTU = 1400,
  MIN_MTU = 256,
};

/* ------------------------------------------------------------------------------ the base itself */

static bool
find_remote (MoatBase *self)
{
  socklen_t len = sizeof self->remote;

  if (getpeername (g_socket_get_fd (self->socket), (struct sockaddr *) &self->remote, &len) != 0)
    return false;

  self->remote_len = len;
  return true;
}

bool
moat_base_init (MoatBase *self, GDatagramBased *object, GError **error)
{
  GSocketType type;

  if (G_IS_SOCKET (object))
    {
      type = g_socket_get_socket_type (G_SOCKET (object));
      if (type == G_SOCKET_TYPE_STREAM || type == G_SOCKET_TYPE_INVALID)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                               "DTLS needs a datagram socket");
          return false;
        }

      self->socket = G_SOCKET (object);
      self->has_connected_socket = find_remote (self);
      self->has_far_end = type == G_SOCKET_TYPE_SEQPACKET;
      self->wants_addresses = !self->has_connected_socket;
    }

  self->object = object;

  return true;
}

void
moat_base_clear (MoatBase *self)
{
  g_clear_object (&self->pinned_address);
  self->object = NULL;
  self->socket = NULL;
}

bool
moat_base_is_unconnected_socket (const MoatBase *self)
{
  return self->socket != NULL && !self->has_connected_socket;
}

/* The kernel knows the path's MTU only for connected sockets. */
static size_t
path_mtu (int fd)
{
  int mtu;
  socklen_t len = sizeof mtu;

  if (getsockopt (fd, IPPROTO_IP, IP_MTU, &mtu, &len) == 0 && mtu > IPV4_UDP_HEADERS)
    return (size_t) mtu - IPV4_UDP_HEADERS;

  len = sizeof mtu;
  if (getsockopt (fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len) == 0 && mtu > IPV6_UDP_HEADERS)
    return (size_t) mtu - IPV6_UDP_HEADERS;

  return DEFAULT_MTU;
}

size_t
moat_base_mtu (const MoatBase *self)
{
  if (self->socket == NULL || !self->has_connected_socket || g_socket_is_closed (self->socket))
    return DEFAULT_MTU;

  return CLAMP (path_mtu (g_socket_get_fd (self->socket)), MIN_MTU, DEFAULT_MTU);
}

/* ----------------------------------------------------------------------------- what errors mean */

/* No list of what is soft: ICMP's codes come as any of a dozen errors, and the next kernel may
 * know more of them. */
static bool
is_fatal (const MoatBase *self, int code)
{
  switch (code)
    {
    case EBADF:
    case ENOTSOCK:
    case EINVAL:
    case EFAULT:
    case EPIPE: /* shut down, by us or by whoever has the far end */
      return true;

    case ECONNABORTED:
    case ECONNRESET:
    case ENOTCONN:
    case ETIMEDOUT:
      return self->has_far_end;

    default:
      return false;
    }
}

static MoatBaseResult
result_of_errno (const MoatBase *self, int code, GError **error)
{
  if (code == EAGAIN || code == EWOULDBLOCK)
    return MOAT_BASE_BLOCKED;

  if (code == EMSGSIZE)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                           "A datagram is longer than the way to the peer allows");
      return MOAT_BASE_TOO_LARGE;
    }

  if (is_fatal (self, code))
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "The base socket failed: %s",
                   g_strerror (code));
      return MOAT_BASE_GONE;
    }

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               "A datagram could not be delivered: %s", g_strerror (code));
  return MOAT_BASE_SOFT;
}

/* Takes `problem`, which is NULL where a base broke its own contract and set no error. */
static MoatBaseResult
result_of_error (GError *problem, GError **error)
{
  MoatBaseResult result;

  if (problem == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                           "The base socket failed without saying why");
      return MOAT_BASE_GONE;
    }
  if (g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)
      || g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      g_error_free (problem);
      return MOAT_BASE_BLOCKED;
    }

  result = MOAT_BASE_GONE;
  if (g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE))
    result = MOAT_BASE_TOO_LARGE;
  else if (g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)
           || g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE)
           || g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE)
           || g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    result = MOAT_BASE_SOFT;
  g_propagate_error (error, problem);

  return result;
}

/* The descriptor of a closed GSocket may be anybody's by now. */
static bool
socket_is_gone (const MoatBase *self, GError **error)
{
  if (!g_socket_is_closed (self->socket))
    return false;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The base socket is closed");
  return true;
}

/* ------------------------------------------------------------------------------------ receiving */

static void
keep_datagram (MoatScratch *scratch, guint slot, size_t len, socklen_t address_len)
{
  MoatDatagram *datagram = &scratch->in[scratch->n_in];

  if (len == 0)
    return;

  /* Slots that were empty close ranks; an address moves with its datagram. */
  if (slot != scratch->n_in && address_len > 0)
    datagram->address = scratch->in[slot].address;
  datagram->at = scratch->in_bytes[slot];
  datagram->len = len;
  datagram->address_len = address_len;
  scratch->n_in++;
}

static MoatBaseResult
receive_from_socket (MoatBase *self, MoatScratch *scratch, guint max, GError **error)
{
  int n;

  if (socket_is_gone (self, error))
    return MOAT_BASE_GONE;

  for (guint i = 0; i < max; i++)
    {
      scratch->in_iovecs[i] = (struct iovec){ scratch->in_bytes[i], SCRATCH_IN_SIZE };
      scratch->headers[i].msg_hdr = (struct msghdr){
        .msg_name = self->wants_addresses ? &scratch->in[i].address : NULL,
        .msg_namelen = self->wants_addresses ? sizeof scratch->in[i].address : 0,
        .msg_iov = &scratch->in_iovecs[i],
        .msg_iovlen = 1,
      };
    }

  do
    n = recvmmsg (g_socket_get_fd (self->socket), scratch->headers, max, MSG_DONTWAIT, NULL);
  while (n < 0 && errno == EINTR);

  if (n < 0)
    return result_of_errno (self, errno, error);

  for (guint i = 0; i < (guint) n; i++)
    {
      /* The far end's close. What came before it goes first; it is there the next time too. */
      if (scratch->headers[i].msg_len == 0 && self->has_far_end)
        return scratch->n_in > 0 ? MOAT_BASE_DONE : MOAT_BASE_END;

      keep_datagram (scratch, i, scratch->headers[i].msg_len,
                     scratch->headers[i].msg_hdr.msg_namelen);
    }

  return MOAT_BASE_DONE;
}

static socklen_t
take_address (MoatScratch *scratch, guint slot)
{
  g_autoptr (GSocketAddress) address = g_steal_pointer (&scratch->in_addresses[slot]);
  gssize len;

  if (address == NULL)
    return 0;

  len = g_socket_address_get_native_size (address);
  if (len <= 0
      || !g_socket_address_to_native (address, &scratch->in[slot].address,
                                      sizeof scratch->in[slot].address, NULL))
    return 0;

  return (socklen_t) len;
}

static MoatBaseResult
receive_from_other (MoatBase *self, MoatScratch *scratch, guint max, GError **error)
{
  GError *problem = NULL;
  int n;

  for (guint i = 0; i < max; i++)
    {
      scratch->in_addresses[i] = NULL;
      scratch->in_vectors[i] = (GInputVector){ scratch->in_bytes[i], SCRATCH_IN_SIZE };
      scratch->in_messages[i] = (GInputMessage){
        .address = self->wants_addresses ? &scratch->in_addresses[i] : NULL,
        .vectors = &scratch->in_vectors[i],
        .num_vectors = 1,
      };
    }

  n = g_datagram_based_receive_messages (self->object, scratch->in_messages, max, 0, 0, NULL,
                                         &problem);
  if (n < 0)
    return result_of_error (problem, error);
  if (n == 0)
    return MOAT_BASE_END;

  for (guint i = 0; i < MIN ((guint) n, max); i++)
    keep_datagram (scratch, i, MIN (scratch->in_messages[i].bytes_received, SCRATCH_IN_SIZE),
                   take_address (scratch, i));

  return MOAT_BASE_DONE;
}

MoatBaseResult
moat_base_receive (MoatBase *self, MoatScratch *scratch, guint max, GError **error)
{
  scratch->n_in = 0;

  if (self->socket != NULL)
    return receive_from_socket (self, scratch, MIN (max, SCRATCH_MAX_IN), error);

  return receive_from_other (self, scratch, MIN (max, SCRATCH_MAX_IN), error);
}

/* -------------------------------------------------------------------------------------- sending */

static int
send_by_socket (MoatBase *self, MoatScratch *scratch, guint done)
{
  guint n = scratch->n_out - done;
  int sent;

  for (guint i = 0; i < n; i++)
    scratch->headers[i].msg_hdr = (struct msghdr){
      .msg_name = self->has_pinned ? &self->pinned : NULL,
      .msg_namelen = self->has_pinned ? self->pinned_len : 0,
      .msg_iov = &scratch->out[done + i],
      .msg_iovlen = 1,
    };

  do
    sent =
        sendmmsg (g_socket_get_fd (self->socket), scratch->headers, n, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);

  return sent;
}

/* A pending ICMP error comes in place of sending, once. So what fails is tried a second time;
 * what fails again is lost, or too long indeed. */
static MoatBaseResult
send_to_socket (MoatBase *self, MoatScratch *scratch, guint *done, GError **error)
{
  MoatBaseResult result;
  int sent;

  if (socket_is_gone (self, error))
    return MOAT_BASE_GONE;

  sent = send_by_socket (self, scratch, *done);
  if (sent >= 0)
    {
      *done += (guint) sent;
      return MOAT_BASE_DONE;
    }

  result = result_of_errno (self, errno, error);
  if (result != MOAT_BASE_SOFT && result != MOAT_BASE_TOO_LARGE)
    return result;

  sent = send_by_socket (self, scratch, *done);
  if (result == MOAT_BASE_TOO_LARGE)
    {
      g_clear_error (error);
      result = sent < 0 ? result_of_errno (self, errno, error) : MOAT_BASE_DONE;
    }
  if (sent > 0)
    *done += (guint) sent;
  else if (result == MOAT_BASE_SOFT)
    *done += 1;

  return result;
}

static MoatBaseResult
send_to_other (MoatBase *self, MoatScratch *scratch, guint *done, GError **error)
{
  GError *problem = NULL;
  guint n = scratch->n_out - *done;
  MoatBaseResult result;
  int sent;

  for (guint i = 0; i < n; i++)
    {
      const struct iovec *datagram = &scratch->out[*done + i];

      scratch->out_vectors[i] = (GOutputVector){ datagram->iov_base, datagram->iov_len };
      scratch->out_messages[i] = (GOutputMessage){
        .address = self->pinned_address,
        .vectors = &scratch->out_vectors[i],
        .num_vectors = 1,
      };
    }

  sent =
      g_datagram_based_send_messages (self->object, scratch->out_messages, n, 0, 0, NULL, &problem);
  if (sent > 0)
    {
      *done += MIN ((guint) sent, n);
      return MOAT_BASE_DONE;
    }
  if (sent == 0)
    return MOAT_BASE_BLOCKED;

  result = result_of_error (problem, error);
  if (result == MOAT_BASE_SOFT)
    *done += 1;

  return result;
}

MoatBaseResult
moat_base_send (MoatBase *self, MoatScratch *scratch, guint *done, GError **error)
{
  g_autoptr (GError) loss = NULL;

  while (*done < scratch->n_out)
    {
      GError *problem = NULL;
      MoatBaseResult result = self->socket != NULL ? send_to_socket (self, scratch, done, &problem)
                                                   : send_to_other (self, scratch, done, &problem);

      if (result == MOAT_BASE_DONE)
        continue;
      if (result == MOAT_BASE_SOFT)
        {
          /* Only the last loss is told. */
          g_clear_error (&loss);
          loss = problem;
          continue;
        }
      if (problem != NULL)
        g_propagate_error (error, problem);
      return result;
    }

  if (loss == NULL)
    return MOAT_BASE_DONE;

  g_propagate_error (error, g_steal_pointer (&loss));
  return MOAT_BASE_SOFT;
}

void
moat_base_reply (MoatBase *self, MoatDatagram *to, const struct dtls_buffer *reply)
{
  g_autoptr (GSocketAddress) address = NULL;
  GOutputVector vector = { reply->at, reply->used };
  GOutputMessage message = { .vectors = &vector, .num_vectors = 1 };

  if (self->socket != NULL)
    {
      if (g_socket_is_closed (self->socket))
        return;
      if (self->has_connected_socket)
        (void) !send (g_socket_get_fd (self->socket), reply->at, reply->used,
                      MSG_DONTWAIT | MSG_NOSIGNAL);
      else
        (void) !sendto (g_socket_get_fd (self->socket), reply->at, reply->used,
                        MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *) &to->address,
                        to->address_len);
      return;
    }

  if (to->address_len > 0)
    address = g_socket_address_new_from_native (&to->address, to->address_len);
  message.address = address;
  (void) g_datagram_based_send_messages (self->object, &message, 1, 0, 0, NULL, NULL);
}

/* ------------------------------------------------------------------------------------ addresses */

struct bytes
moat_base_sender (const MoatBase *self, const MoatDatagram *datagram)
{
  if (datagram->address_len > 0)
    return (struct bytes){ (const uint8_t *) &datagram->address, datagram->address_len };

  return (struct bytes){ (const uint8_t *) &self->remote, self->remote_len };
}

void
moat_base_pin (MoatBase *self, MoatDatagram *datagram)
{
  if (datagram->address_len == 0)
    return;

  self->pinned = datagram->address;
  self->pinned_len = datagram->address_len;
  self->pinned_address =
      g_socket_address_new_from_native (&datagram->address, datagram->address_len);
  self->has_pinned = true;
}

bool
moat_base_is_from_peer (const MoatBase *self, const MoatDatagram *datagram)
{
  if (!self->has_pinned)
    return true;

  return datagram->address_len == self->pinned_len
         && memcmp (&datagram->address, &self->pinned, self->pinned_len) == 0;
}

GSocketAddress *
moat_base_dup_peer (const MoatBase *self)
{
  if (self->pinned_address != NULL)
    return g_object_ref (self->pinned_address);
  if (self->socket != NULL && self->has_connected_socket)
    return g_socket_get_remote_address (self->socket, NULL);

  return NULL;
}

/* -------------------------------------------------------------------------------------- waiting */

GSource *
moat_base_create_source (const MoatBase *self, GIOCondition condition, MoatBaseFunc func,
                         gpointer data, GDestroyNotify destroy)
{
  GSource *source;

  if (self->socket == NULL)
    source = g_datagram_based_create_source (self->object, condition, NULL);
  else if (g_socket_is_closed (self->socket))
    source = NULL;
  else
    source = g_unix_fd_source_new (g_socket_get_fd (self->socket), condition);

  if (source != NULL)
    g_source_set_callback (source, G_SOURCE_FUNC (func), data, destroy);
  else if (destroy != NULL)
    destroy (data);

  return source;
}
