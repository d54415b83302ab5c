/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Addresses as people type them; see address.h. */

#include "cli/address.h"

#include <string.h>

bool
address_parse (const char *text, bool may_lack_host, char **out_host, guint16 *out_port,
               GError **error)
{
  g_autoptr (GSocketConnectable) parsed = NULL;
  guint64 port = 0;

  *out_host = NULL;
  if (may_lack_host && strchr (text, ':') == NULL)
    {
      if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT16, &port, NULL))
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "“%s” is no port: [ADDR:]PORT", text);
          return false;
        }
      *out_port = (guint16) port;
      return true;
    }

  parsed = g_network_address_parse (text, 0, error);
  if (parsed == NULL)
    return false;

  *out_port = g_network_address_get_port (G_NETWORK_ADDRESS (parsed));
  if (*out_port == 0 && !may_lack_host)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "“%s” has no port: HOST:PORT, where an IPv6 address is in brackets", text);
      return false;
    }
  if (*g_network_address_get_hostname (G_NETWORK_ADDRESS (parsed)) == '\0')
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "“%s” has no host: %s", text,
                   may_lack_host ? "[ADDR:]PORT" : "HOST:PORT");
      return false;
    }

  *out_host = g_strdup (g_network_address_get_hostname (G_NETWORK_ADDRESS (parsed)));
  return true;
}

static GList *
resolve_name (const char *host, guint16 port, GSocketFamily family, GError **error)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  GResolverNameLookupFlags flags = G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT;
  GList *names;

  if (family == G_SOCKET_FAMILY_IPV4)
    flags = G_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY;
  else if (family == G_SOCKET_FAMILY_IPV6)
    flags = G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY;

  names = g_resolver_lookup_by_name_with_flags (resolver, host, flags, NULL, error);
  for (GList *at = names; at != NULL; at = at->next)
    {
      g_autoptr (GInetAddress) address = at->data;

      at->data = g_inet_socket_address_new (address, port);
    }

  return names;
}

GList *
address_resolve (const char *host, guint16 port, GSocketFamily family, GError **error)
{
  g_autoptr (GSocketAddress) literal = g_inet_socket_address_new_from_string (host, port);

  if (literal == NULL)
    return resolve_name (host, port, family, error);

  if (family != G_SOCKET_FAMILY_INVALID && g_socket_address_get_family (literal) != family)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s is not an IPv%c address",
                   host, family == G_SOCKET_FAMILY_IPV4 ? '4' : '6');
      return NULL;
    }

  return g_list_prepend (NULL, g_steal_pointer (&literal));
}

char *
address_to_string (GSocketAddress *address)
{
  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
}
