//! HTTP by hand over a plain socket: malformed requests, single bytes, stalled bodies, pipelines.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One answer, taken apart only as far as its end could be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAnswer {
    /// The status code.
    pub status: u16,
    /// The status line and the headers, as they came.
    pub head: String,
    /// The body: of the stated length, or chunked and as it came, or everything until the connection closed.
    pub body: Vec<u8>,
}

impl RawAnswer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// An open connection on which the test writes every byte itself.
#[derive(Debug)]
pub struct RawConnection {
    socket: TcpStream,
    unread: Vec<u8>,
}

/// Writes bytes to a new connection and reads one whole answer; `None` when the peer closed without one.
///
/// # Errors
/// The operating system's; [`io::ErrorKind::TimedOut`] after `limit`.
pub async fn raw_http(address: SocketAddr, bytes: &[u8], limit: Duration) -> io::Result<Option<RawAnswer>> {
    let mut connection = RawConnection::connect(address).await?;
    // A server may refuse and close before it has read everything; its answer counts, not our broken pipe.
    let _ = connection.write(bytes).await;
    connection.read_answer(limit).await
}

impl RawConnection {
    /// Connects. Every write leaves at once (`TCP_NODELAY`).
    ///
    /// # Errors
    /// The operating system's.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            unread: Vec::new(),
        })
    }

    /// Writes all bytes.
    ///
    /// # Errors
    /// The operating system's, such as a connection the peer closed.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await
    }

    /// Writes `size` bytes at a time with a pause after each piece: a slow sender.
    ///
    /// # Errors
    /// The operating system's.
    pub async fn write_slowly(&mut self, bytes: &[u8], size: usize, pause: Duration) -> io::Result<()> {
        for piece in bytes.chunks(size.max(1)) {
            self.write(piece).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// Writes bytes as chunks of `Transfer-Encoding: chunked`, each of at most `size` bytes, and the last chunk.
    ///
    /// # Errors
    /// The operating system's.
    pub async fn write_chunked(&mut self, bytes: &[u8], size: usize) -> io::Result<()> {
        for piece in bytes.chunks(size.max(1)) {
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            self.write(&chunk).await?;
        }
        self.write(b"0\r\n\r\n").await
    }

    /// Says that nothing more will be written.
    ///
    /// # Errors
    /// The operating system's.
    pub async fn finish_writing(&mut self) -> io::Result<()> {
        self.socket.shutdown().await
    }

    /// Reads the next answer; `None` when the peer closed before it began.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] after `limit`; [`io::ErrorKind::InvalidData`] for what is not HTTP;
    /// [`io::ErrorKind::UnexpectedEof`] when it stops in the middle.
    pub async fn read_answer(&mut self, limit: Duration) -> io::Result<Option<RawAnswer>> {
        tokio::time::timeout(limit, self.next_answer())
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, format!("no whole answer in {limit:?}")))?
    }

    /// Waits until the peer closes the connection; whatever it still sends is dropped.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when it is still open after `limit`.
    pub async fn wait_for_close(&mut self, limit: Duration) -> io::Result<()> {
        let closing = async {
            let mut buffer = [0; 4096];
            // A reset ends a connection as well as an orderly close does.
            while let Ok(1..) = self.socket.read(&mut buffer).await {}
        };
        tokio::time::timeout(limit, closing)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, format!("still open after {limit:?}")))
    }

    async fn next_answer(&mut self) -> io::Result<Option<RawAnswer>> {
        let Some(end) = self.fill_until(b"\r\n\r\n").await? else {
            let nothing = self.unread.is_empty();
            return if nothing {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        };
        let head: Vec<u8> = self.unread.drain(..end).collect();
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let status = head.split(' ').nth(1).filter(|_| head.starts_with("HTTP/1."));
        let status = status
            .and_then(|status| status.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        let mut answer = RawAnswer {
            status,
            head,
            body: Vec::new(),
        };

        let length = match (
            answer.header("content-length"),
            answer.header("transfer-encoding"),
        ) {
            (Some(length), _) => Some(length.parse().map_err(|_| io::ErrorKind::InvalidData)?),
            _ if matches!(status, 100..=199 | 204 | 304) => Some(0),
            (None, Some(_)) => self.fill_until(b"0\r\n\r\n").await?,
            (None, None) => None,
        };
        if let Some(length) = length {
            while self.unread.len() < length {
                if self.fill().await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            answer.body = self.unread.drain(..length).collect();
        } else {
            while self.fill().await? > 0 {}
            answer.body = std::mem::take(&mut self.unread);
        }
        Ok(Some(answer))
    }

    /// Reads until `mark` came; the place behind it, or `None` when the connection ended before.
    async fn fill_until(&mut self, mark: &[u8]) -> io::Result<Option<usize>> {
        loop {
            if let Some(at) = self.unread.windows(mark.len()).position(|window| window == mark) {
                return Ok(Some(at + mark.len()));
            }
            if self.fill().await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn fill(&mut self) -> io::Result<usize> {
        match self.socket.read_buf(&mut self.unread).await {
            // A server that closes with unread bytes of ours resets the connection: an end like any other.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(0),
            other => other,
        }
    }
}
