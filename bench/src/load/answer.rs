//! Where an HTTP/1.1 answer ends, and what it came to. Pure, and no more than a generator needs.

/// One whole answer at the beginning of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The status code.
    pub(super) status: u16,
    /// How many bytes it takes.
    pub(super) length: usize,
    /// Whether the server closes the connection after it.
    pub(super) closes: bool,
}

/// The bytes are not HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotHttp;

/// The answer at the beginning of `buffer`; `None` while it is not whole.
pub(super) fn parse(buffer: &[u8]) -> Result<Option<Answer>, NotHttp> {
    let Some(head) = find(buffer, b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&buffer[..head]).map_err(|_| NotHttp)?;
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let version = first.get(..9).filter(|start| start.starts_with("HTTP/1."));
    let status = first.get(9..12).and_then(|digits| digits.parse().ok());
    let (Some(version), Some(status)) = (version, status) else {
        return Err(NotHttp);
    };
    let (mut length, mut chunked, mut closes) = (0, false, version == "HTTP/1.0 ");
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(|_| NotHttp)?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("connection") {
            closes = value.eq_ignore_ascii_case("close");
        }
    }
    let body = head + 4;
    let end = if chunked {
        // Answers are short texts: none holds these bytes before its end.
        match find(&buffer[body..], b"0\r\n\r\n") {
            Some(at) => body + at + 5,
            None => return Ok(None),
        }
    } else {
        body + length
    };
    Ok((end <= buffer.len()).then_some(Answer {
        status,
        length: end,
        closes,
    }))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> (u16, usize, bool) {
        let answer = parse(text.as_bytes()).unwrap().unwrap();
        (answer.status, answer.length, answer.closes)
    }

    #[test]
    fn an_answer_ends_where_its_head_says() {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody";
        assert_eq!(whole(text), (200, text.len(), false));
        assert_eq!(whole(&format!("{text}HTTP/1.1 500")), (200, text.len(), false));
        let chunked = "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n";
        assert_eq!(whole(chunked), (401, chunked.len(), false));
        assert!(whole("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").2);
        assert!(whole("HTTP/1.0 200 OK\r\n\r\n").2);
    }

    #[test]
    fn half_an_answer_is_none() {
        for text in [
            "",
            "HTTP/1.1 200",
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbod",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n",
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(None), "{text}");
        }
        assert_eq!(parse(b"nonsense\r\n\r\n"), Err(NotHttp));
    }
}
