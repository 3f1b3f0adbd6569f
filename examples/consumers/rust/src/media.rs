//! Media: id, address, bytes. The address lives for five minutes, so it is asked for when the bytes are wanted and never kept.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use crate::graph::{Graph, NotSent, judge};
use crate::record::File;

/// The largest file WhatsApp carries: a document (Meta, Cloud API: media).
const LARGEST: usize = 100 * 1024 * 1024;
/// How often an address that is too old is asked for again.
const ADDRESSES: usize = 3;

/// There is no file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoFile {
    /// Never, and why in a word.
    Never(&'static str),
    /// Not now, and why not.
    Later(String),
}

impl From<reqwest::Error> for NoFile {
    fn from(_: reqwest::Error) -> Self {
        // Not what the error says, which is the address too.
        Self::Later("the connection failed".to_owned())
    }
}

impl From<std::io::Error> for NoFile {
    fn from(error: std::io::Error) -> Self {
        Self::Later(format!("it cannot be written: {}", error.kind()))
    }
}

#[derive(Deserialize)]
struct Found {
    url: String,
    sha256: Option<String>,
}

/// Fetches a file into `directory` under its digest, and says how large it is.
pub(crate) async fn fetch(
    graph: &Graph,
    hosts: &[String],
    directory: &Path,
    file: &File,
) -> Result<usize, NoFile> {
    let id = file.id.as_deref().ok_or(NoFile::Never("media_without_id"))?;
    for _ in 0..ADDRESSES {
        let found = look_up(graph, id).await?;
        let url = permitted(&found.url, hosts).ok_or(NoFile::Never("media_host_not_allowed"))?;
        let answer = graph.download(url).await?;
        match answer.status() {
            StatusCode::OK => {
                let promised = [found.sha256.as_deref(), file.sha256.as_deref()];
                return keep(answer, promised, directory).await;
            }
            // Too old, or never was: they are answered alike.
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::GONE => {}
            status => return Err(NoFile::Later(format!("status {}", status.as_u16()))),
        }
    }
    Err(NoFile::Never("media_expired"))
}

async fn look_up(graph: &Graph, id: &str) -> Result<Found, NoFile> {
    let answer = graph.look_up(id).await?;
    let status = answer.status();
    if status == StatusCode::OK {
        return Ok(answer.json().await?);
    }
    let body = answer.json().await.unwrap_or_default();
    Err(match judge(status, &body) {
        NotSent::Refused(_) => NoFile::Never("media_gone"),
        NotSent::Later(why) => NoFile::Later(why),
        NotSent::Unknown => NoFile::Later(format!("status {}", status.as_u16())),
    })
}

/// The address, if the token may go there: one of the hosts, over TLS unless it is this machine.
fn permitted(url: &str, hosts: &[String]) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    let with_port = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let encrypted = url.scheme() == "https" || (url.scheme() == "http" && host == "127.0.0.1");
    (encrypted && hosts.contains(&with_port)).then_some(url)
}

/// Under its digest: twice the same is once, and a file is whole or not there.
async fn keep(
    answer: reqwest::Response,
    promised: [Option<&str>; 2],
    directory: &Path,
) -> Result<usize, NoFile> {
    tokio::fs::create_dir_all(directory).await?;
    // A name that no other worker on the same volume has. It is deleted with this value.
    let half = tempfile::Builder::new()
        .prefix("half.")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory);
    let (out, half) = half?.into_parts();
    let mut out = tokio::fs::File::from_std(out);
    let (mut digest, mut length) = (Sha256::new(), 0);
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        length += chunk.len();
        if length > LARGEST {
            return Err(NoFile::Never("media_too_large"));
        }
        digest.update(&chunk);
        out.write_all(&chunk).await?;
    }
    out.flush().await?;
    let digest = hex::encode(digest.finalize());
    if !promised
        .into_iter()
        .flatten()
        .all(|promised| is_digest(promised, &digest))
    {
        return Err(NoFile::Never("media_damaged"));
    }
    let kept = half.persist(directory.join(digest));
    kept.map_err(|error| error.error)?;
    Ok(length)
}

/// Whether a digest, which Meta writes in hex or in base64, is this one.
fn is_digest(promised: &str, hex: &str) -> bool {
    promised.eq_ignore_ascii_case(hex)
        || STANDARD
            .decode(promised)
            .is_ok_and(|bytes| hex::encode(bytes) == hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_metas_host_alone() {
        let hosts = ["lookaside.fbsbx.com".to_owned(), "127.0.0.1:80".to_owned()];
        let may = |url| permitted(url, &hosts).is_some();
        assert!(may(
            "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1"
        ));
        for wrong in [
            "http://lookaside.fbsbx.com/",
            "https://lookaside.fbsbx.com.example/",
            "https://lookaside.fbsbx.com:8443/",
            "https://example.com/lookaside.fbsbx.com",
            "https://lookaside.fbsbx.com@example.com/",
            "file:///etc/passwd",
            "nonsense",
        ] {
            assert!(!may(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_digest_is_known_in_both_spellings() {
        let hex = hex::encode(Sha256::digest(b"x"));
        assert!(is_digest(&hex.to_uppercase(), &hex));
        assert!(is_digest(&STANDARD.encode(Sha256::digest(b"x")), &hex));
        assert!(!is_digest(&STANDARD.encode(Sha256::digest(b"y")), &hex));
        assert!(!is_digest("", &hex));
    }
}
