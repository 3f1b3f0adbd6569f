//! An HTTP/1 client that sends what it is told, byte for byte.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::soon;

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    received: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers, lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn says_close(&self) -> bool {
        self.head.contains("\r\nconnection: close\r\n")
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = soon(TcpStream::connect(address)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            received: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.unwrap();
    }

    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        soon(self.stream.write_all(bytes.as_ref())).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: wahook.test\r\n\r\n"))
            .await;
        self.answer().await
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        self.try_answer()
            .await
            .expect("an answer, not the end of the connection")
    }

    /// The next answer, `None` when the connection ends first.
    pub(crate) async fn try_answer(&mut self) -> Option<Answer> {
        let end_of_head = loop {
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.received.drain(..end_of_head).collect())
            .unwrap()
            .to_lowercase();
        let status = head[9..12].parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |value| value.parse().unwrap());
        while self.received.len() < length {
            self.more().await?;
        }
        let body = String::from_utf8(self.received.drain(..length).collect()).unwrap();
        Some(Answer { status, head, body })
    }

    /// Waits for the server to close; returns the answers it gave before.
    pub(crate) async fn until_closed(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some(answer) = self.try_answer().await {
            answers.push(answer);
        }
        assert!(
            self.received.is_empty(),
            "half an answer: {:?}",
            String::from_utf8_lossy(&self.received)
        );
        answers
    }

    async fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 4096];
        match soon(self.stream.read(&mut chunk)).await {
            Ok(0) | Err(_) => None,
            Ok(read) => {
                self.received.extend_from_slice(&chunk[..read]);
                Some(())
            }
        }
    }
}
