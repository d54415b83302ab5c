/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Host and domain names are told; addresses never are (RFC 6066 §3: "literal IPv4 and IPv6
 * addresses are not permitted"). */

#include "gio/identity.h"

#include <string.h>

enum
{
  MAX_NAME = 253, /* RFC 1035 §2.3.4, as text */
};

char *
moat_identity_server_name (GSocketConnectable *identity)
{
  const char *name = NULL;
  g_autofree char *ascii = NULL;
  size_t len;

  if (G_IS_NETWORK_ADDRESS (identity))
    name = g_network_address_get_hostname (G_NETWORK_ADDRESS (identity));
  else if (G_IS_NETWORK_SERVICE (identity))
    name = g_network_service_get_domain (G_NETWORK_SERVICE (identity));

  if (name == NULL || g_hostname_is_ip_address (name))
    return NULL;

  ascii = g_hostname_to_ascii (name);
  if (ascii == NULL)
    return NULL;

  /* RFC 6066 §3: the name comes without a trailing dot. */
  len = strlen (ascii);
  if (len > 0 && ascii[len - 1] == '.')
    ascii[--len] = '\0';
  if (len == 0 || len > MAX_NAME)
    return NULL;

  return g_steal_pointer (&ascii);
}
