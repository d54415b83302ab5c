// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright 2026 The Moat authors

//! The command line of ../../peer.h, as far as dimpl has what it asks for, and what it makes of the
//! configuration. `--pin FILE` stands for `--ca`: dimpl shows the peer's leaf and judges no chain,
//! so the leaf must be that in FILE.

use std::env;
use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use dimpl::crypto::{Dtls12CipherSuite, Dtls13CipherSuite, NamedGroup};
use dimpl::{Config, DtlsCertificate, PskResolver};

pub type Fallible<T> = Result<T, Box<dyn Error>>;

/// As in ../../peer.h.
const RETRANSMIT: Duration = Duration::from_millis(400);
const RETRIES: usize = 20;

#[derive(Default)]
pub struct Options {
    pub is_server: bool,
    pub port: u16,
    pub timeout: Duration,
    pub messages: Vec<String>,
    pub certificate: Option<DtlsCertificate>,
    /// (nullable) The peer's leaf, DER.
    pub pin: Option<Vec<u8>>,
    pub min_is_13: bool,
    pub max_is_12: bool,
    /// dimpl cannot be told to, but follows when it is asked to.
    pub updates_keys: bool,
    mtu: Option<usize>,
    wants_client_certificate: bool,
    without_cookie: bool,
    identity: Option<String>,
    psk: Vec<u8>,
    suite: Option<String>,
    groups: Option<String>,
}

struct OneKey {
    identity: Vec<u8>,
    key: Vec<u8>,
}

impl PskResolver for OneKey {
    fn resolve(&self, identity: &[u8]) -> Option<Vec<u8>> {
        (identity == self.identity).then(|| self.key.clone())
    }
}

/// The first object of a PEM file, as DER.
fn read_pem(path: &str) -> Fallible<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = fs::read_to_string(path)?;
    let lines = text.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    let base64: String = lines.take_while(|line| !line.starts_with("-----END")).collect();

    let mut der = Vec::new();
    let (mut bits, mut n_bits) = (0u32, 0);
    for byte in base64.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|&digit| digit == byte).ok_or("not PEM")?;
        bits = bits << 6 | value as u32;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            der.push((bits >> n_bits) as u8);
        }
    }
    Ok(der)
}

fn read_hex(path: &str) -> Fallible<Vec<u8>> {
    let text = fs::read_to_string(path)?;
    let digits = text.trim();
    let bytes = (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16));
    Ok(bytes.collect::<Result<_, _>>()?)
}

impl Options {
    pub fn parse() -> Fallible<Options> {
        let mut arguments = env::args().skip(1);
        let role = arguments.next().unwrap_or_default();
        if role != "client" && role != "server" {
            return Err("usage: peer-dimpl client|server OPTION...; see ../../peer.c".into());
        }
        let mut o = Options { is_server: role == "server", ..Options::default() };
        o.timeout = Duration::from_secs(30);

        let (mut cert, mut key) = (None, None);
        while let Some(name) = arguments.next() {
            if o.set_flag(&name) {
                continue;
            }
            let value = arguments.next().ok_or("an option without its value")?;
            match name.as_str() {
                "--cert" => cert = Some(read_pem(&value)?),
                "--key" => key = Some(read_pem(&value)?),
                _ => o.set_value(&name, value)?,
            }
        }
        if let (Some(certificate), Some(private_key)) = (cert, key) {
            o.certificate = Some(DtlsCertificate { certificate, private_key });
        }
        Ok(o)
    }

    fn set_flag(&mut self, name: &str) -> bool {
        match name {
            "--client-auth" => self.wants_client_certificate = true,
            "--no-cookie" => self.without_cookie = true,
            "--key-update" => self.updates_keys = true,
            _ => return false,
        }
        true
    }

    fn set_value(&mut self, name: &str, value: String) -> Fallible<()> {
        match name {
            "--port" => self.port = value.parse()?,
            "--timeout" => self.timeout = Duration::from_secs(value.parse()?),
            "--mtu" => self.mtu = Some(value.parse()?),
            "--pin" => self.pin = Some(read_pem(&value)?),
            "--psk-identity" => self.identity = Some(value),
            "--psk-file" => self.psk = read_hex(&value)?,
            "--suite" => self.suite = Some(value),
            "--groups" => self.groups = Some(value),
            // It asks for no name.
            "--servername" => {}
            "--min-version" => self.min_is_13 = value == "1.3",
            "--max-version" => self.max_is_12 = value == "1.2",
            "--message" => self.messages.push(value),
            _ => return Err(format!("no such option: {name}").into()),
        }
        Ok(())
    }

    pub fn has_psk(&self) -> bool {
        self.identity.is_some()
    }

    pub fn config(&self) -> Fallible<Config> {
        let mut builder = Config::builder()
            .flight_start_rto(RETRANSMIT)
            .flight_retries(RETRIES)
            .handshake_timeout(self.timeout)
            .require_client_certificate(self.wants_client_certificate)
            .use_server_cookie(!self.without_cookie);
        if let Some(mtu) = self.mtu {
            builder = builder.mtu(mtu);
        }
        if let Some(list) = &self.groups {
            builder = builder.kx_groups(&groups(list)?);
        }
        if let Some(name) = &self.suite {
            let (old, new) = suites(name)?;
            builder = builder.dtls12_cipher_suites(&[old]).dtls13_cipher_suites(&[new]);
        }
        if let Some(identity) = &self.identity {
            let identity = identity.clone().into_bytes();
            let key = OneKey { identity: identity.clone(), key: self.psk.clone() };
            builder = match self.is_server {
                true => builder.with_psk_server(None, Arc::new(key)),
                false => builder.with_psk_client(identity, Arc::new(key)),
            };
        }
        Ok(builder.build()?)
    }
}

fn groups(list: &str) -> Fallible<Vec<NamedGroup>> {
    let name = |name| match name {
        "X25519" => Ok(NamedGroup::X25519),
        "P-256" => Ok(NamedGroup::Secp256r1),
        "P-384" => Ok(NamedGroup::Secp384r1),
        _ => Err(format!("no such group: {name}").into()),
    };
    list.split(',').map(name).collect()
}

fn suites(name: &str) -> Fallible<(Dtls12CipherSuite, Dtls13CipherSuite)> {
    match name {
        "AES-128-GCM" => Ok((
            Dtls12CipherSuite::ECDHE_ECDSA_AES128_GCM_SHA256,
            Dtls13CipherSuite::AES_128_GCM_SHA256,
        )),
        "AES-256-GCM" => Ok((
            Dtls12CipherSuite::ECDHE_ECDSA_AES256_GCM_SHA384,
            Dtls13CipherSuite::AES_256_GCM_SHA384,
        )),
        "CHACHA20-POLY1305" => Ok((
            Dtls12CipherSuite::ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
            Dtls13CipherSuite::CHACHA20_POLY1305_SHA256,
        )),
        // A key that both know is for DTLS 1.2 alone.
        "PSK-AES-128-CCM-8" => {
            Ok((Dtls12CipherSuite::PSK_AES128_CCM_8, Dtls13CipherSuite::AES_128_GCM_SHA256))
        }
        _ => Err(format!("no such suite: {name}").into()),
    }
}
