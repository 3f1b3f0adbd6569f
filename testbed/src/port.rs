//! Finds a free loopback port and keeps it free of others until a child process takes it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A loopback TCP port that belongs to one test.
///
/// The port is bound with `SO_REUSEADDR` and never listened on. Linux lets a second socket with that option, such
/// as the server under test, bind and listen there, while the kernel hands the port to nobody who asks for "any
/// free port". The number therefore stays ours across a restart of that server. Elsewhere the port is released at
/// once, and a clash is possible though unlikely.
#[derive(Debug)]
pub struct ReservedPort {
    number: u16,
    /// Held for its effect on the kernel alone.
    _held: Option<TcpSocket>,
}

impl ReservedPort {
    /// Reserves a free port on 127.0.0.1.
    ///
    /// # Errors
    /// The operating system's, when no socket can be made.
    pub fn new() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let number = socket.local_addr()?.port();
        Ok(Self {
            number,
            _held: cfg!(target_os = "linux").then_some(socket),
        })
    }

    /// The port's number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The port as an address on 127.0.0.1.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_can_listen_on_a_reserved_port_twice() {
        let port = ReservedPort::new().unwrap();
        for _ in 0..2 {
            let listener = tokio::net::TcpListener::bind(port.address()).await.unwrap();
            let (client, server) =
                tokio::join!(tokio::net::TcpStream::connect(port.address()), listener.accept());
            drop((client.unwrap(), server.unwrap()));
        }
    }

    #[test]
    fn two_reservations_differ() {
        let ports: Vec<_> = (0..50).map(|_| ReservedPort::new().unwrap()).collect();
        let distinct: std::collections::BTreeSet<_> = ports.iter().map(ReservedPort::number).collect();
        assert_eq!(distinct.len(), ports.len());
    }
}
