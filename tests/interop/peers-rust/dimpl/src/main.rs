// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright 2026 The Moat authors

//! An interop peer on dimpl, with the command line and the conversation that ../../peer.h tells of.
//! The library has no sockets: here they are.

mod options;

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, Output, ProtocolVersion};
use options::{Fallible, Options};

/// Application data is not sent again by DTLS: a client repeats its message until it is echoed.
const REPEAT: Duration = Duration::from_millis(300);
const MAX_DATAGRAM: usize = 65536;

enum Event {
    Connected,
    Data(Vec<u8>),
    Closed,
}

struct Connection<'a> {
    options: &'a Options,
    socket: UdpSocket,
    dtls: Dtls,
    events: VecDeque<Event>,
    wake: Option<Instant>,
    deadline: Instant,
}

fn open_socket(options: &Options) -> Fallible<UdpSocket> {
    if !options.is_server {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect((Ipv4Addr::LOCALHOST, options.port))?;
        return Ok(socket);
    }
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, options.port))?;
    println!("READY {}", socket.local_addr()?.port());
    // The datagram itself is left for the connection to read.
    socket.set_read_timeout(Some(options.timeout))?;
    let (_, client) = socket.peek_from(&mut [0])?;
    socket.connect(client)?;
    Ok(socket)
}

impl<'a> Connection<'a> {
    fn new(options: &'a Options) -> Fallible<Connection<'a>> {
        let deadline = Instant::now() + options.timeout;
        let socket = open_socket(options)?;
        let config = Arc::new(options.config()?);
        let now = Instant::now();
        // A client that is not asked for its certificate has none, and dimpl wants something.
        let certificate = options.certificate.clone();
        let own = || certificate.ok_or("dimpl needs a certificate of its own");
        let mut dtls = match (options.has_psk(), options.max_is_12, options.min_is_13) {
            (true, _, _) => Dtls::new_12_psk(config, now),
            (_, true, _) => Dtls::new_12(config, own()?, now),
            (_, _, true) => Dtls::new_13(config, own()?, now),
            _ => Dtls::new_auto(config, own()?, now),
        };
        dtls.set_active(!options.is_server);
        let events = VecDeque::new();
        Ok(Connection { options, socket, dtls, events, wake: None, deadline })
    }

    fn send(&self, datagram: &[u8]) -> Fallible<()> {
        match self.socket.send(datagram) {
            // A refusal told by ICMP belongs to an earlier datagram; this one is lost like any.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }

    /// Takes everything that the library has to say.
    fn drain(&mut self) -> Fallible<()> {
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(datagram) => self.send(datagram)?,
                Output::Connected => self.events.push_back(Event::Connected),
                Output::ApplicationData(data) => self.events.push_back(Event::Data(data.to_vec())),
                Output::CloseNotify => self.events.push_back(Event::Closed),
                Output::PeerCert(leaf) => {
                    if self.options.pin.as_deref() != Some(leaf) {
                        return Err("the peer's certificate is not trusted".into());
                    }
                }
                Output::Timeout(wake) => {
                    self.wake = Some(wake);
                    return Ok(());
                }
                _ => {}
            }
        }
    }

    /// Waits for a datagram, the library's timer or `until`.
    fn receive(&mut self, until: Instant) -> Fallible<()> {
        let now = Instant::now();
        if now >= self.deadline {
            return Err("timed out".into());
        }
        let end = self.wake.map_or(until, |wake| wake.min(until));
        // The shortest wait that a socket takes for one.
        let wait = end.saturating_duration_since(now).max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(wait))?;

        let mut buffer = vec![0; MAX_DATAGRAM];
        let received = self.socket.recv(&mut buffer);
        self.dtls.handle_timeout(Instant::now())?;
        match received {
            Ok(len) => {
                self.drain()?;
                self.dtls.handle_packet(&buffer[..len])?;
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused => {}
                _ => return Err(error.into()),
            },
        }
        self.drain()
    }

    fn next_event(&mut self, until: Instant) -> Fallible<Option<Event>> {
        while self.events.is_empty() && Instant::now() < until {
            self.receive(until)?;
        }
        Ok(self.events.pop_front())
    }

    fn write(&mut self, data: &[u8]) -> Fallible<()> {
        self.dtls.send_application_data(data)?;
        self.drain()
    }

    fn shake_hands(&mut self) -> Fallible<()> {
        self.dtls.handle_timeout(Instant::now())?;
        self.drain()?;
        match self.next_event(self.deadline)? {
            Some(Event::Connected) => {}
            Some(_) => return Err("closed during the handshake".into()),
            None => return Err("timed out".into()),
        }
        let version = match self.dtls.protocol_version() {
            Some(ProtocolVersion::DTLS1_2) => "DTLSv1.2",
            Some(ProtocolVersion::DTLS1_3) => "DTLSv1.3",
            _ => "-",
        };
        println!("CONNECTED {version} - - - full");
        Ok(())
    }

    fn echo_until_closed(&mut self) -> Fallible<()> {
        loop {
            match self.next_event(self.deadline)? {
                Some(Event::Data(data)) => self.write(&data)?,
                Some(Event::Closed) => return Ok(()),
                Some(Event::Connected) => {}
                None => return Err("timed out".into()),
            }
        }
    }

    /// An echo may come twice, if the first was only slow; then what is read is the message before,
    /// and is passed over.
    fn send_until_echoed(&mut self, message: &str) -> Fallible<()> {
        loop {
            self.write(format!("{message}\n").as_bytes())?;
            let repeat_at = Instant::now() + REPEAT;
            while let Some(event) = self.next_event(repeat_at)? {
                match event {
                    Event::Data(data) if data.starts_with(message.as_bytes()) => {
                        println!("GOT {message}");
                        return Ok(());
                    }
                    Event::Closed => return Err("closed before the echo".into()),
                    _ => {}
                }
            }
        }
    }

    /// New keys are taken when the other side has acknowledged it, which has some time for that.
    fn linger(&mut self) -> Fallible<()> {
        let end = Instant::now() + REPEAT;
        while Instant::now() < end {
            self.receive(end)?;
        }
        Ok(())
    }

    fn run(&mut self) -> Fallible<()> {
        self.shake_hands()?;
        if self.options.is_server {
            self.echo_until_closed()?;
        }
        for message in &self.options.messages {
            self.send_until_echoed(message)?;
            if self.options.updates_keys {
                self.linger()?;
            }
        }
        self.dtls.close()?;
        self.drain()
    }
}

fn main() -> ExitCode {
    let result = Options::parse().and_then(|options| Connection::new(&options)?.run());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
