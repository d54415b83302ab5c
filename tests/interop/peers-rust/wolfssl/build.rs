// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright 2026 The Moat authors

//! Compiles the peer that Debian's wolfSSL has too, against the headers of the newer one.

use std::env;
use std::path::PathBuf;

fn main() {
    let folder = PathBuf::from(env::var("MOAT_INTEROP").expect("build-peers says where peer.c is"));
    let include = env::var("DEP_WOLFSSL_INCLUDE").expect("wolfssl-sys says where its headers are");
    let files = ["peer.c", "peer-wolfssl.c"].map(|name| folder.join(name));

    cc::Build::new().std("gnu17").include(include).files(&files).compile("peer");

    println!("cargo::rerun-if-env-changed=MOAT_INTEROP");
    for file in files.iter().chain([&folder.join("peer.h")]) {
        println!("cargo::rerun-if-changed={}", file.display());
    }
}
