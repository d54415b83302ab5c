/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Words for certificates and connections; see verdict.h. */

#include "cli/verdict.h"

#include "cli/report.h"

#include <moat/moat.h>

char *
verdict_describe (GTlsCertificateFlags faults)
{
  static const struct
  {
    GTlsCertificateFlags flag;
    const char *words;
  } table[] = {
    { G_TLS_CERTIFICATE_UNKNOWN_CA, "its issuer is not trusted" },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, "it names another host" },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED, "it is not valid yet" },
    { G_TLS_CERTIFICATE_EXPIRED, "it has expired" },
    { G_TLS_CERTIFICATE_REVOKED, "it has been revoked" },
    { G_TLS_CERTIFICATE_INSECURE, "its algorithms are not secure" },
    { G_TLS_CERTIFICATE_GENERIC_ERROR, "it is broken or not meant for this purpose" },
  };
  g_autoptr (GString) words = g_string_new (NULL);

  for (size_t i = 0; i < G_N_ELEMENTS (table); i++)
    if ((faults & table[i].flag) != 0)
      g_string_append_printf (words, "%s%s", words->len > 0 ? " and " : "", table[i].words);

  return g_string_free (g_steal_pointer (&words), FALSE);
}

static void
report_peer (GTlsCertificate *peer, GTlsCertificateFlags faults)
{
  g_autofree char *subject = g_tls_certificate_get_subject_name (peer);
  g_autofree char *issuer = g_tls_certificate_get_issuer_name (peer);
  g_autoptr (GDateTime) until = g_tls_certificate_get_not_valid_after (peer);
  g_autofree char *day = until != NULL ? g_date_time_format (until, "%F") : NULL;
  g_autofree char *words = verdict_describe (faults);

  report_status ("peer: %s, %s%s", subject != NULL ? subject : "(no subject)",
                 faults == 0 ? "trusted" : "not trusted: ", words);
  report_detail ("issued by: %s, valid until %s", issuer != NULL ? issuer : "(unknown)",
                 day != NULL ? day : "(unknown)");
}

static void
report_no_certificate (MoatConnection *connection)
{
  g_autoptr (GBytes) identity = moat_connection_dup_psk_identity (connection);
  g_autofree char *name = NULL;

  if (identity == NULL)
    {
      report_status ("peer: no certificate");
      return;
    }

  /* A zero byte ends what can be shown of it. */
  name = g_strndup (g_bytes_get_data (identity, NULL), g_bytes_get_size (identity));
  report_status ("peer: has the pre-shared key “%s”", name);
}

void
verdict_report_connection (GDtlsConnection *connection)
{
  MoatConnection *moat = MOAT_CONNECTION (connection);
  GTlsCertificate *peer = g_dtls_connection_get_peer_certificate (connection);
  const char *version = moat_connection_get_dtls_version (moat);
  const char *protocol = g_dtls_connection_get_negotiated_protocol (connection);
  g_autofree char *suite = g_dtls_connection_get_ciphersuite_name (connection);

  /* The peer's refusal may have come with the end of the handshake. */
  if (version == NULL)
    return;

  report_status ("connected: DTLS %s, %s%s", version, suite != NULL ? suite : "(unknown)",
                 moat_connection_get_session_resumed (moat) ? ", resumed" : "");
  if (peer != NULL)
    report_peer (peer, g_dtls_connection_get_peer_certificate_errors (connection));
  else
    report_no_certificate (moat);

  if (protocol != NULL)
    report_status ("application protocol: %s", protocol);
  report_detail ("longest message: %u bytes", moat_connection_get_max_payload (moat));
}
