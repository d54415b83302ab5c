// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright 2026 The Moat authors

//! Nothing but the place where cargo links the C programs of build.rs, main() included, with the
//! wolfSSL that it has built.

#![no_main]

use wolfssl_sys as _;
