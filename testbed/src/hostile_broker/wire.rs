//! The part of the NATS client protocol that a publisher uses: reading commands, writing messages.
//!
//! Source: NATS documentation, "Client Protocol".

use std::io;

use async_nats::{HeaderMap, HeaderName, HeaderValue};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// One command of a client.
#[derive(Debug)]
pub(super) enum Command {
    Ping,
    Subscribe {
        sid: String,
        subject: String,
    },
    /// `after` limits how many more messages the subscription takes.
    Unsubscribe {
        sid: String,
        after: Option<u64>,
    },
    Publish {
        subject: String,
        reply: Option<String>,
        headers: HeaderMap,
        payload: Bytes,
    },
    /// `CONNECT`, `PONG`: nothing to do about it.
    Nothing,
}

/// Reads the next command; `None` at the end of the connection.
pub(super) async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Command>> {
    let mut line = String::new();
    if reader.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let command = match *words.as_slice() {
        ["PING"] => Command::Ping,
        ["SUB", subject, sid] | ["SUB", subject, _, sid] => Command::Subscribe {
            sid: sid.to_owned(),
            subject: subject.to_owned(),
        },
        ["UNSUB", sid] => Command::Unsubscribe {
            sid: sid.to_owned(),
            after: None,
        },
        ["UNSUB", sid, after] => Command::Unsubscribe {
            sid: sid.to_owned(),
            after: Some(number(after)?),
        },
        ["PUB", subject, length] => publish(reader, subject, None, "0", length).await?,
        ["PUB", subject, reply, length] => publish(reader, subject, Some(reply), "0", length).await?,
        ["HPUB", subject, head, length] => publish(reader, subject, None, head, length).await?,
        ["HPUB", subject, reply, head, length] => publish(reader, subject, Some(reply), head, length).await?,
        ["CONNECT", ..] | ["PONG"] => Command::Nothing,
        _ => return Err(bad("an unknown command")),
    };
    Ok(Some(command))
}

async fn publish(
    reader: &mut (impl AsyncBufRead + Unpin),
    subject: &str,
    reply: Option<&str>,
    head: &str,
    length: &str,
) -> io::Result<Command> {
    let (head, length): (usize, usize) = (number(head)?, number(length)?);
    // The body is followed by a line end of its own.
    let mut body = BytesMut::zeroed(length + 2);
    reader.read_exact(&mut body).await?;
    body.truncate(length);
    if head > length {
        return Err(bad("headers longer than the message"));
    }
    let headers = parse_headers(&body.split_to(head))?;
    Ok(Command::Publish {
        subject: subject.to_owned(),
        reply: reply.map(str::to_owned),
        headers,
        payload: body.freeze(),
    })
}

fn parse_headers(bytes: &[u8]) -> io::Result<HeaderMap> {
    let text = std::str::from_utf8(bytes).map_err(|_| bad("headers that are not text"))?;
    let mut headers = HeaderMap::new();
    for line in text.split("\r\n").skip(1).filter(|line| !line.is_empty()) {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| bad("a header without a colon"))?;
        let name: HeaderName = name.parse().map_err(|_| bad("a header name"))?;
        let value: HeaderValue = value.trim().parse().map_err(|_| bad("a header value"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// A message for a subscriber.
pub(super) fn message(subject: &str, sid: &str, payload: &[u8]) -> Bytes {
    let mut frame = format!("MSG {subject} {sid} {}\r\n", payload.len()).into_bytes();
    frame.extend_from_slice(payload);
    frame.extend_from_slice(b"\r\n");
    frame.into()
}

/// The message that says "nobody listens there".
pub(super) fn no_responders(subject: &str, sid: &str) -> Bytes {
    let headers = "NATS/1.0 503\r\n\r\n";
    let length = headers.len();
    format!("HMSG {subject} {sid} {length} {length}\r\n{headers}\r\n").into()
}

/// Whether a subscription's subject, which may hold `*` and `>`, takes this subject.
pub(super) fn matches(pattern: &str, subject: &str) -> bool {
    let mut subject = subject.split('.');
    for token in pattern.split('.') {
        match (token, subject.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (token, Some(given)) if token == given => {}
            _ => return false,
        }
    }
    subject.next().is_none()
}

fn number<T: std::str::FromStr>(text: &str) -> io::Result<T> {
    text.parse().map_err(|_| bad("a number"))
}

fn bad(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the client sent {what} the stand-in cannot read"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_match_as_in_nats() {
        for (pattern, subject, expected) in [
            ("a.b", "a.b", true),
            ("a.*", "a.b", true),
            ("a.>", "a.b.c", true),
            (">", "a", true),
            ("a.>", "a", false),
            ("a.*", "a.b.c", false),
            ("a.*.c", "a.b.c", true),
            ("a.b.c", "a.b", false),
        ] {
            assert_eq!(matches(pattern, subject), expected, "{pattern} {subject}");
        }
    }

    #[tokio::test]
    async fn a_publish_with_headers_is_taken_apart() {
        let bytes = b"HPUB s.t in.box 20 25\r\nNATS/1.0\r\nA: b:c\r\n\r\nx\r\ny \r\nPING\r\n";
        let mut reader = &bytes[..];
        let Some(Command::Publish {
            subject,
            reply,
            headers,
            payload,
        }) = read(&mut reader).await.unwrap()
        else {
            panic!("no publish")
        };
        assert_eq!((subject.as_str(), reply.as_deref()), ("s.t", Some("in.box")));
        assert_eq!(headers.get("A").map(HeaderValue::as_str), Some("b:c"));
        assert_eq!(payload, "x\r\ny ");
        assert!(matches!(read(&mut reader).await.unwrap(), Some(Command::Ping)));
        assert!(read(&mut reader).await.unwrap().is_none());
    }
}
