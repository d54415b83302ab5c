// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright 2026 The Moat authors

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/crypto/ciphersuite"
	"github.com/pion/dtls/v4/pkg/crypto/elliptic"
	"github.com/pion/dtls/v4/pkg/protocol"
)

// It would start at a second, which makes a lossy run slow.
const retransmit = 400 * time.Millisecond

// The command line of ../peer.h.
type options struct {
	isServer                    bool
	port, mtu, timeout          int
	ca, cert, key               string
	clientAuth, noEMS, noCookie bool
	resume, keyUpdate           bool
	identity, pskFile           string
	suite, groups, alpn         string
	minVersion, maxVersion      string
	servername                  string
	messages                    []string
	sessions                    *sessions
}

var suites = map[string][]ciphersuite.ID{
	"AES-128-GCM": {
		ciphersuite.TLS_AES_128_GCM_SHA256,
		ciphersuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		ciphersuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	},
	"AES-256-GCM": {
		ciphersuite.TLS_AES_256_GCM_SHA384,
		ciphersuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		ciphersuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	},
	"CHACHA20-POLY1305": {
		ciphersuite.TLS_CHACHA20_POLY1305_SHA256,
		ciphersuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		ciphersuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	},
	"PSK":               {ciphersuite.TLS_AES_128_GCM_SHA256},
	"PSK-AES-128-GCM":   {ciphersuite.TLS_PSK_WITH_AES_128_GCM_SHA256},
	"PSK-AES-128-CCM-8": {ciphersuite.TLS_PSK_WITH_AES_128_CCM_8},
}

var curves = map[string]elliptic.Curve{
	"X25519":         elliptic.X25519,
	"P-256":          elliptic.P256,
	"P-384":          elliptic.P384,
	"X25519MLKEM768": elliptic.X25519MLKEM768,
}

var versions = map[string]protocol.Version{"1.2": protocol.Version1_2, "1.3": protocol.Version1_3}

func parseOptions() (*options, error) {
	if len(os.Args) < 2 || (os.Args[1] != "client" && os.Args[1] != "server") {
		return nil, errors.New("usage: peer-pion client|server OPTION...; see ../peer.c")
	}
	o := &options{isServer: os.Args[1] == "server", sessions: &sessions{}}

	flags := flag.NewFlagSet("peer-pion", flag.ExitOnError)
	flags.IntVar(&o.port, "port", 0, "")
	flags.IntVar(&o.mtu, "mtu", 0, "")
	flags.IntVar(&o.timeout, "timeout", 30, "seconds")
	flags.StringVar(&o.ca, "ca", "", "")
	flags.StringVar(&o.cert, "cert", "", "")
	flags.StringVar(&o.key, "key", "", "")
	flags.BoolVar(&o.clientAuth, "client-auth", false, "")
	flags.BoolVar(&o.noEMS, "no-ems", false, "")
	flags.BoolVar(&o.noCookie, "no-cookie", false, "")
	flags.BoolVar(&o.resume, "resume", false, "")
	flags.BoolVar(&o.keyUpdate, "key-update", false, "")
	flags.StringVar(&o.identity, "psk-identity", "", "")
	flags.StringVar(&o.pskFile, "psk-file", "", "hexadecimal")
	flags.StringVar(&o.suite, "suite", "", "")
	flags.StringVar(&o.groups, "groups", "X25519,P-256,P-384", "")
	flags.StringVar(&o.alpn, "alpn", "", "")
	flags.StringVar(&o.minVersion, "min-version", "1.2", "")
	flags.StringVar(&o.maxVersion, "max-version", "1.3", "")
	flags.StringVar(&o.servername, "servername", "localhost", "")
	flags.Func("message", "", func(line string) error {
		o.messages = append(o.messages, line)
		return nil
	})

	return o, flags.Parse(os.Args[2:])
}

// What both roles are told.
func (o *options) common() ([]dtls.Option, error) {
	list := []dtls.Option{
		dtls.WithMinVersion(versions[o.minVersion]),
		dtls.WithMaxVersion(versions[o.maxVersion]),
		dtls.WithFlightInterval(retransmit),
	}
	for _, add := range []func() ([]dtls.Option, error){o.algorithms, o.certificates, o.psk} {
		more, err := add()
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	if o.mtu > 0 {
		list = append(list, dtls.WithMTU(o.mtu))
	}
	if o.alpn != "" {
		list = append(list, dtls.WithSupportedProtocols(o.alpn))
	}
	if o.noEMS {
		list = append(list, dtls.WithExtendedMasterSecret(dtls.DisableExtendedMasterSecret))
	}
	if o.resume {
		list = append(list, dtls.WithSessionStore(o.sessions))
	}
	return list, nil
}

// Without --suite it offers what it would, with --psk-file what goes with a key.
func (o *options) algorithms() ([]dtls.Option, error) {
	list := []dtls.Option{}
	if o.suite == "" && o.pskFile != "" {
		o.suite = "PSK"
	}
	if o.suite != "" {
		ids, isKnown := suites[o.suite]
		if !isKnown {
			return nil, fmt.Errorf("no such suite: %s", o.suite)
		}
		list = append(list, dtls.WithCipherSuites(ids...))
	}

	chosen := []elliptic.Curve{}
	for _, name := range strings.Split(o.groups, ",") {
		curve, isKnown := curves[name]
		if !isKnown {
			return nil, fmt.Errorf("no such group: %s", name)
		}
		chosen = append(chosen, curve)
	}
	return append(list, dtls.WithEllipticCurves(chosen...)), nil
}

func (o *options) certificates() ([]dtls.Option, error) {
	list := []dtls.Option{}
	if o.cert != "" {
		certificate, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, err
		}
		list = append(list, dtls.WithCertificates(certificate))
	}
	if o.isServer || o.ca == "" {
		return list, nil
	}
	roots, err := o.roots()
	return append(list, dtls.WithRootCAs(roots)), err
}

func (o *options) roots() (*x509.CertPool, error) {
	roots := x509.NewCertPool()
	text, err := os.ReadFile(o.ca)
	if err == nil && !roots.AppendCertsFromPEM(text) {
		err = fmt.Errorf("no certificate in %s", o.ca)
	}
	return roots, err
}

func (o *options) psk() ([]dtls.Option, error) {
	if o.pskFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(o.pskFile)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, err
	}

	psk := dtls.PSK{Identity: []byte(o.identity), Key: key}
	offer := func() ([]dtls.PSK, error) { return []dtls.PSK{psk}, nil }
	find := func(identities [][]byte) (*dtls.PSK, error) {
		for _, identity := range identities {
			if bytes.Equal(identity, psk.Identity) {
				return &psk, nil
			}
		}
		return nil, nil
	}
	return []dtls.Option{dtls.WithPSK(offer, find)}, nil
}

func (o *options) forClient() ([]dtls.ClientOption, error) {
	common, err := o.common()
	list := []dtls.ClientOption{dtls.WithServerName(o.servername)}
	for _, option := range common {
		list = append(list, option)
	}
	return list, err
}

func (o *options) forServer() ([]dtls.ServerOption, error) {
	common, err := o.common()
	if err != nil {
		return nil, err
	}
	list := []dtls.ServerOption{dtls.WithInsecureSkipVerifyHello(o.noCookie)}
	for _, option := range common {
		list = append(list, option)
	}
	if !o.clientAuth {
		return list, nil
	}

	roots, err := o.roots()
	return append(list, dtls.WithClientCAs(roots),
		dtls.WithClientAuth(dtls.RequireAndVerifyClientCert)), err
}

// The sessions of this process, by what the library calls them.
type sessions struct{ byKey sync.Map }

func (s *sessions) Set(key []byte, session dtls.Session) error {
	s.byKey.Store(string(key), session)
	return nil
}

func (s *sessions) Get(key []byte) (dtls.Session, error) {
	session, isThere := s.byKey.Load(string(key))
	if !isThere {
		return dtls.Session{}, nil
	}
	return session.(dtls.Session), nil
}

func (s *sessions) Del(key []byte) error {
	s.byKey.Delete(string(key))
	return nil
}
