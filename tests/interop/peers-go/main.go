// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright 2026 The Moat authors

// Peer-pion is an interop peer on Pion's DTLS, with the command line and the conversation that
// ../peer.h tells of.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pion/dtls/v4"
)

const (
	// Application data is not sent again by DTLS: a client repeats its message until it is echoed.
	repeat = 300 * time.Millisecond
	// The largest plaintext of a record (RFC 6347 §4.1).
	maxDatagram = 16384
)

func (o *options) address() *net.UDPAddr {
	return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: o.port}
}

func (o *options) nConnections() int {
	if o.resume {
		return 2
	}
	return 1
}

func report(conn *dtls.Conn) {
	state, _ := conn.ConnectionState()
	version := map[uint8]string{0xfd: "DTLSv1.2", 0xfc: "DTLSv1.3"}[state.NegotiatedVersion().Minor()]
	alpn := state.NegotiatedProtocol
	if alpn == "" {
		alpn = "-"
	}
	fmt.Println("CONNECTED", version, state.CipherSuiteID, "-", alpn, "-")
}

func (o *options) write(ctx context.Context, conn *dtls.Conn, data []byte) error {
	if o.keyUpdate {
		if err := conn.UpdateKeys(ctx, dtls.KeyUpdateOptions{}); err != nil {
			return fmt.Errorf("key update: %w", err)
		}
	}
	_, err := conn.Write(data)
	return err
}

func (o *options) serve(ctx context.Context) error {
	list, err := o.forServer()
	if err != nil {
		return err
	}
	listener, err := dtls.ListenAddr("udp", o.address(), list...)
	if err != nil {
		return err
	}
	defer listener.Close()
	fmt.Println("READY", listener.Addr().(*net.UDPAddr).Port)

	for range o.nConnections() {
		accepted, err := listener.Accept()
		if err != nil {
			return err
		}
		if err := o.echo(ctx, accepted.(*dtls.Conn)); err != nil {
			return err
		}
	}
	return nil
}

func (o *options) echo(ctx context.Context, conn *dtls.Conn) error {
	defer conn.Close()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	report(conn)

	buffer := make([]byte, maxDatagram)
	for {
		n, err := conn.Read(buffer)
		// It may be told by the second, too: the close cancels what the library is about.
		if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := o.write(ctx, conn, buffer[:n]); err != nil {
			return err
		}
	}
}

func (o *options) connect(ctx context.Context) error {
	list, err := o.forClient()
	if err != nil {
		return err
	}
	for range o.nConnections() {
		conn, err := dtls.Dial("udp", o.address(), list...)
		if err != nil {
			return err
		}
		if err := o.converse(ctx, conn); err != nil {
			return err
		}
	}
	return nil
}

func (o *options) converse(ctx context.Context, conn *dtls.Conn) error {
	defer conn.Close()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	report(conn)

	reader := &reader{echoes: make(chan string), ended: make(chan error, 1)}
	go reader.run(conn)
	for _, message := range o.messages {
		if err := o.sendUntilEchoed(ctx, conn, message, reader); err != nil {
			return err
		}
	}
	return nil
}

type reader struct {
	echoes chan string
	ended  chan error
}

func (r *reader) run(conn *dtls.Conn) {
	buffer := make([]byte, maxDatagram)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			r.ended <- fmt.Errorf("ended before the echo: %w", err)
			return
		}
		r.echoes <- string(buffer[:n])
	}
}

// An echo may come twice, if the first was only slow; then what is read is the message before, and
// is passed over.
func (o *options) sendUntilEchoed(
	ctx context.Context, conn *dtls.Conn, message string, reader *reader,
) error {
	for {
		if err := o.write(ctx, conn, []byte(message+"\n")); err != nil {
			// The reader knows why.
			return errors.Join(err, <-reader.ended)
		}
		timeIsUp := time.After(repeat)
		for isWaiting := true; isWaiting; {
			select {
			case echo := <-reader.echoes:
				if strings.HasPrefix(echo, message) {
					fmt.Println("GOT", message)
					return nil
				}
			case err := <-reader.ended:
				return err
			case <-timeIsUp:
				isWaiting = false
			}
		}
	}
}

func run() error {
	o, err := parseOptions()
	if err != nil {
		return err
	}
	limit := time.Duration(o.timeout) * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	// What takes no context is not waited for either.
	time.AfterFunc(limit+time.Second, func() {
		fmt.Fprintln(os.Stderr, "timed out")
		os.Exit(1)
	})

	if o.isServer {
		return o.serve(ctx)
	}
	return o.connect(ctx)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
