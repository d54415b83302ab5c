/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Extension blocks and the bodies in them. */

#include "wire/extensions.h"

#include "wire/u16_set.h"

#include <assert.h>
#include <string.h>

/* The places of the table, as RFC 9846 §4.3 shortens them; none of what we know may be in its CT
 * (Certificate). */
enum
{
  CH = 1 << IN_CLIENT_HELLO,
  SH_12 = 1 << IN_SERVER_HELLO_12,
  SH = 1 << IN_SERVER_HELLO_13,
  HRR = 1 << IN_HELLO_RETRY_REQUEST,
  EE = 1 << IN_ENCRYPTED_EXTENSIONS,
  CR = 1 << IN_CERTIFICATE_REQUEST_13,
  NST = 1 << IN_NEW_SESSION_TICKET_13,
};

enum
{
  HOST_NAME = 0,           /* RFC 6066 §3: NameType */
  MAX_HOST_NAME_LEN = 255, /* RFC 1035 §2.3.4, as the octets of a name */

  UNCOMPRESSED = 0, /* RFC 8422 §5.1.2: ECPointFormat */

  MIN_RECORD_SIZE_LIMIT = 64, /* RFC 8449 §4 */
};

/* In the order of enum extension_index. RFC 9846 §4.3 has the places of 1.3; what else stands there
 * is from the RFC named. */
/* clang-format off */
static const struct
{
  uint16_t type;
  uint8_t places;
} known[] = {
  { EXT_SERVER_NAME,               CH | EE | CR | SH_12 }, /* RFC 6066 §3 */
  { EXT_SUPPORTED_GROUPS,          CH | EE },
  { EXT_SIGNATURE_ALGORITHMS,      CH | CR },
  { EXT_USE_SRTP,                  CH | EE | SH_12 },      /* RFC 5764 §4.1.1 */
  { EXT_ALPN,                      CH | EE | SH_12 },      /* RFC 7301 §3.1 */
  { EXT_RECORD_SIZE_LIMIT,         CH | EE | SH_12 },      /* RFC 8449 §4 */
  { EXT_PRE_SHARED_KEY,            CH | SH },
  { EXT_EARLY_DATA,                CH | EE | NST },
  { EXT_SUPPORTED_VERSIONS,        CH | SH | HRR },
  { EXT_COOKIE,                    CH | HRR },
  { EXT_PSK_KEY_EXCHANGE_MODES,    CH },
  { EXT_CERTIFICATE_AUTHORITIES,   CH | CR },
  { EXT_SIGNATURE_ALGORITHMS_CERT, CH | CR },
  { EXT_KEY_SHARE,                 CH | SH | HRR },
  { EXT_EC_POINT_FORMATS,          CH | SH_12 },           /* RFC 8422 §5.2 */
  { EXT_EXTENDED_MASTER_SECRET,    CH | SH_12 },           /* RFC 7627 §5.1 */
  { EXT_SESSION_TICKET,            CH | SH_12 },           /* RFC 5077 §3.2 */
  { EXT_RENEGOTIATION_INFO,        CH | SH_12 },           /* RFC 5746 §3.2 */
};
/* clang-format on */

static_assert (sizeof known / sizeof known[0] == N_EXTENSIONS, "a row for each extension");

enum extension_index
extension_index_of (uint16_t type)
{
  size_t i;

  for (i = 0; i < N_EXTENSIONS; i++)
    if (known[i].type == type)
      break;

  return (enum extension_index) i;
}

/* RFC 9846 §4.3.11: in a ClientHello pre_shared_key is the last extension, whose binders are over
 * all that comes before. */
static bool
may_stand (enum extension_index index, enum extension_place place, const struct extensions *before)
{
  if (place == IN_CLIENT_HELLO && before->has[FOUND_PRE_SHARED_KEY])
    return false;

  return index == N_EXTENSIONS || known[index].places & 1 << place;
}

enum extensions_result
extensions_read (struct bytes block, enum extension_place place, struct extensions *out)
{
  struct reader reader = reader_over (block);
  struct u16_set types = { { 0 } };
  bool is_misplaced = false;
  bool has_twice = false;

  *out = (struct extensions){ 0 };

  while (reader.left > 0)
    {
      uint16_t type = read_u16 (&reader);
      struct bytes body = read_vec (&reader, 2);
      enum extension_index index = extension_index_of (type);

      if (!reader_ok (&reader))
        return EXTENSIONS_MALFORMED;

      /* RFC 9846 §4.3: "There MUST NOT be more than one extension of the same type in a given
       * extension block." */
      has_twice = !u16_set_add (&types, type) || has_twice;
      is_misplaced = !may_stand (index, place, out) || is_misplaced;

      if (index == N_EXTENSIONS)
        {
          out->has_unknown = true;
          continue;
        }
      out->has[index] = true;
      out->body[index] = body;
    }

  if (has_twice)
    return EXTENSIONS_DUPLICATE;

  return is_misplaced ? EXTENSIONS_MISPLACED : EXTENSIONS_OK;
}

size_t
extension_begin (struct writer *writer, uint16_t type)
{
  write_u16 (writer, type);

  return write_vec_begin (writer, 2);
}

void
extension_end (struct writer *writer, size_t body)
{
  write_vec_end (writer, body, 2);
}

size_t
extension_block_begin (struct writer *writer)
{
  return write_vec_begin (writer, 2);
}

void
extension_block_end (struct writer *writer, size_t block)
{
  write_vec_end (writer, block, 2);
}

bool
encrypted_extensions_read (struct bytes message, struct bytes *out_block)
{
  struct reader reader = reader_over (message);

  *out_block = read_vec (&reader, 2);

  return reader_done (&reader);
}

/* A zero byte would end the name early for whoever takes it as a C string. */
static bool
is_host_name (struct bytes name)
{
  return name.left > 0 && name.left <= MAX_HOST_NAME_LEN && memchr (name.at, 0, name.left) == NULL;
}

bool
server_name_read (struct bytes body, struct bytes *out_name)
{
  struct reader reader = reader_over (body);
  struct reader names = reader_over (read_vec (&reader, 2));
  bool has_host_name = false;

  *out_name = (struct bytes){ NULL, 0 };

  if (!reader_done (&reader) || names.left == 0)
    return false;

  while (names.left > 0)
    {
      uint8_t type = read_u8 (&names);
      /* RFC 6066 §3: "all future data structures associated with new NameTypes MUST begin with a
       * 16-bit length field", so that they can be passed over. */
      struct bytes name = read_vec (&names, 2);

      if (type != HOST_NAME)
        continue;
      /* RFC 6066 §3: "MUST NOT contain more than one name of the same name_type". */
      if (has_host_name || !is_host_name (name))
        return false;
      has_host_name = true;
      *out_name = name;
    }

  return reader_ok (&names);
}

void
server_name_write (struct writer *writer, struct bytes name)
{
  size_t names = write_vec_begin (writer, 2);

  write_u8 (writer, HOST_NAME);
  write_vec (writer, name, 2);
  write_vec_end (writer, names, 2);
}

static bool
read_pairs (struct bytes body, unsigned prefix_len, struct bytes *out_list)
{
  struct reader reader = reader_over (body);

  *out_list = read_vec (&reader, prefix_len);

  return reader_done (&reader) && out_list->left > 0 && out_list->left % 2 == 0;
}

static void
write_pairs (struct writer *writer, unsigned prefix_len, const uint16_t *values, size_t n)
{
  size_t list = write_vec_begin (writer, prefix_len);

  for (size_t i = 0; i < n; i++)
    write_u16 (writer, values[i]);
  write_vec_end (writer, list, prefix_len);
}

bool
u16_list_read (struct bytes body, struct bytes *out_list)
{
  return read_pairs (body, 2, out_list);
}

void
u16_list_write (struct writer *writer, const uint16_t *values, size_t n)
{
  write_pairs (writer, 2, values, n);
}

size_t
u16_list_len (struct bytes list)
{
  return list.left / 2;
}

uint16_t
u16_list_at (struct bytes list, size_t index)
{
  assert (index < u16_list_len (list));

  return (uint16_t) (list.at[2 * index] << 8 | list.at[2 * index + 1]);
}

bool
u16_list_has (struct bytes list, uint16_t value)
{
  for (size_t i = 0; i < u16_list_len (list); i++)
    if (u16_list_at (list, i) == value)
      return true;

  return false;
}

bool
supported_versions_read (struct bytes body, struct bytes *out_list)
{
  return read_pairs (body, 1, out_list);
}

void
supported_versions_write (struct writer *writer, const uint16_t *versions, size_t n)
{
  write_pairs (writer, 1, versions, n);
}

bool
selected_read (struct bytes body, uint16_t *out_selected)
{
  struct reader reader = reader_over (body);

  *out_selected = read_u16 (&reader);

  return reader_done (&reader);
}

void
selected_write (struct writer *writer, uint16_t selected)
{
  write_u16 (writer, selected);
}

bool
cookie_read (struct bytes body, struct bytes *out_cookie)
{
  struct reader reader = reader_over (body);

  *out_cookie = read_vec (&reader, 2);

  return reader_done (&reader) && out_cookie->left > 0;
}

void
cookie_write (struct writer *writer, struct bytes cookie)
{
  write_vec (writer, cookie, 2);
}

bool
psk_key_exchange_modes_read (struct bytes body, struct bytes *out_modes)
{
  struct reader reader = reader_over (body);

  *out_modes = read_vec (&reader, 1);

  return reader_done (&reader) && out_modes->left > 0;
}

void
psk_key_exchange_modes_write (struct writer *writer, struct bytes modes)
{
  write_vec (writer, modes, 1);
}

bool
max_early_data_size_read (struct bytes body, uint32_t *out_size)
{
  struct reader reader = reader_over (body);

  *out_size = read_u32 (&reader);

  return reader_done (&reader);
}

void
max_early_data_size_write (struct writer *writer, uint32_t size)
{
  write_u32 (writer, size);
}

bool
use_srtp_read (struct bytes body, struct use_srtp *srtp)
{
  struct reader reader = reader_over (body);

  srtp->profiles = read_vec (&reader, 2);
  srtp->mki = read_vec (&reader, 1);

  return reader_done (&reader) && srtp->profiles.left > 0 && srtp->profiles.left % 2 == 0;
}

void
use_srtp_write (struct writer *writer, const struct use_srtp *srtp)
{
  write_vec (writer, srtp->profiles, 2);
  write_vec (writer, srtp->mki, 1);
}

bool
ec_point_formats_read (struct bytes body, bool *out_has_uncompressed)
{
  struct reader reader = reader_over (body);
  struct bytes formats = read_vec (&reader, 1);

  if (!reader_done (&reader) || formats.left == 0)
    return false;

  *out_has_uncompressed = memchr (formats.at, UNCOMPRESSED, formats.left) != NULL;
  return true;
}

/* RFC 8422 §5.1.2: the compressed formats are deprecated, and only this one is sent. */
void
ec_point_formats_write (struct writer *writer)
{
  write_u8 (writer, 1);
  write_u8 (writer, UNCOMPRESSED);
}

bool
alpn_read (struct bytes body, struct bytes *out_names)
{
  struct reader reader = reader_over (body);

  *out_names = read_vec (&reader, 2);

  return reader_done (&reader) && alpn_is_well_formed (*out_names);
}

void
alpn_write (struct writer *writer, struct bytes names)
{
  write_vec (writer, names, 2);
}

bool
alpn_next (struct bytes *names, struct bytes *out_name)
{
  return vec_list_next (names, 1, out_name);
}

bool
alpn_is_well_formed (struct bytes names)
{
  return names.left > 0 && vec_list_is_well_formed (names, 1);
}

bool
record_size_limit_read (struct bytes body, uint16_t *out_limit)
{
  struct reader reader = reader_over (body);

  *out_limit = read_u16 (&reader);

  return reader_done (&reader) && *out_limit >= MIN_RECORD_SIZE_LIMIT;
}

void
record_size_limit_write (struct writer *writer, uint16_t limit)
{
  write_u16 (writer, limit);
}

bool
renegotiation_info_read (struct bytes body, struct bytes *out_verify_data)
{
  struct reader reader = reader_over (body);

  *out_verify_data = read_vec (&reader, 1);

  return reader_done (&reader);
}

void
renegotiation_info_write (struct writer *writer, struct bytes verify_data)
{
  write_vec (writer, verify_data, 1);
}
