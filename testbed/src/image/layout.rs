//! The files of an OCI archive (OCI image-spec 1.1: image layout, index, manifest, configuration, layer), rendered in
//! memory.

use std::io;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::Image;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// Where programs look for the authorities they trust.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// An archive and the digest of its manifest.
pub(super) struct Layout {
    pub(super) bytes: Vec<u8>,
    pub(super) digest: String,
}

pub(super) fn render(
    image: &Image<'_>,
    file: &str,
    program: &[u8],
    authorities: Option<&[u8]>,
    architecture: &str,
) -> io::Result<Layout> {
    let time = u64::from(image.created);
    let layer = layer(file, program, authorities, time)?;
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "created": rfc3339(image.created)?,
        "config": {
            "Entrypoint": [format!("/{file}")],
            "User": image.user,
            "WorkingDir": "/",
            "Labels": image.labels,
        },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, &config),
        "layers": [descriptor(LAYER, &layer)],
        "annotations": image.labels,
    });
    let manifest = manifest.to_string().into_bytes();
    let mut entry = descriptor(MANIFEST, &manifest);
    entry["platform"] = json!({ "architecture": architecture, "os": "linux" });
    entry["annotations"] = json!({
        // The first is what containerd calls the image, the second what podman and skopeo find it by.
        "io.containerd.image.name": image.name,
        "org.opencontainers.image.ref.name": image.name.rsplit(':').next(),
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    });

    let mut archive = Builder::new(Vec::new());
    append(
        &mut archive,
        "oci-layout",
        br#"{"imageLayoutVersion":"1.0.0"}"#,
        0o644,
        time,
    )?;
    append(&mut archive, "index.json", index.to_string().as_bytes(), 0o644, time)?;
    for blob in [&manifest, &config, &layer] {
        append(&mut archive, &blob_path(blob), blob, 0o644, time)?;
    }
    Ok(Layout {
        bytes: archive.into_inner()?,
        digest: digest(&manifest),
    })
}

fn layer(file: &str, program: &[u8], authorities: Option<&[u8]>, time: u64) -> io::Result<Vec<u8>> {
    let mut layer = Builder::new(Vec::new());
    if let Some(authorities) = authorities {
        for (at, _) in AUTHORITIES.match_indices('/') {
            let mut header = header(0, 0o755, time);
            header.set_entry_type(EntryType::Directory);
            layer.append_data(&mut header, &AUTHORITIES[..=at], io::empty())?;
        }
        append(&mut layer, AUTHORITIES, authorities, 0o644, time)?;
    }
    append(&mut layer, file, program, 0o755, time)?;
    layer.into_inner()
}

fn append(
    archive: &mut Builder<Vec<u8>>,
    path: &str,
    content: &[u8],
    mode: u32,
    time: u64,
) -> io::Result<()> {
    archive.append_data(&mut header(content.len() as u64, mode, time), path, content)
}

/// Root's, so that whoever the program runs as cannot write it.
fn header(size: u64, mode: u32, time: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(time);
    header
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(blob), "size": blob.len() })
}

fn blob_path(blob: &[u8]) -> String {
    format!("blobs/sha256/{}", hex::encode(Sha256::digest(blob)))
}

fn digest(blob: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(blob)))
}

/// Seconds since 1970 as RFC 3339 in UTC.
fn rfc3339(seconds: u32) -> io::Result<String> {
    let time = jiff::Timestamp::from_second(seconds.into()).map_err(io::Error::other)?;
    Ok(time.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;
    use std::path::Path;

    use super::*;

    fn files(archive: &[u8]) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut archive = tar::Archive::new(archive);
        archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let path = entry.path().unwrap().to_string_lossy().into_owned();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                (path, (entry.header().mode().unwrap(), content))
            })
            .collect()
    }

    /// Follows the archive as a container runtime does: index, manifest, configuration and layer, each by its digest.
    #[test]
    fn every_digest_leads_to_the_program() {
        let image = Image {
            name: "example.com:5000/tool:1.2",
            program: Path::new("unused"),
            user: "65532:65532",
            labels: BTreeMap::from([("title".to_owned(), "tool".to_owned())]),
            authorities: None,
            created: 0,
        };
        let layout = render(&image, "tool", b"the program", Some(b"the authorities"), "amd64").unwrap();
        let files_of = files(&layout.bytes);
        let blob = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().unwrap();
            let (_, content) = &files_of[&format!("blobs/{}", digest.replace(':', "/"))];
            assert_eq!(super::digest(content), digest);
            assert_eq!(descriptor["size"], content.len());
            content.clone()
        };
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
        let index = read(&files_of["index.json"].1);
        let entry = &index["manifests"][0];
        assert_eq!(entry["digest"], layout.digest);
        assert_eq!(
            entry["annotations"]["io.containerd.image.name"],
            "example.com:5000/tool:1.2"
        );
        assert_eq!(entry["annotations"]["org.opencontainers.image.ref.name"], "1.2");
        let manifest = read(&blob(entry));
        let config = read(&blob(&manifest["config"]));
        assert_eq!(config["config"]["Entrypoint"], json!(["/tool"]));
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["created"], "1970-01-01T00:00:00Z");
        let layer = blob(&manifest["layers"][0]);
        assert_eq!(config["rootfs"]["diff_ids"][0], digest(&layer));
        let root = files(&layer);
        assert_eq!(root["tool"], (0o755, b"the program".to_vec()));
        assert_eq!(root[AUTHORITIES], (0o644, b"the authorities".to_vec()));
        assert_eq!(root["etc/ssl/"].0, 0o755);
    }

    #[test]
    fn times_are_written_as_a_person_reads_them() {
        for (seconds, text) in [
            (1_795_493_565, "2026-11-24T04:12:45Z"),
            (u32::MAX, "2106-02-07T06:28:15Z"),
        ] {
            assert_eq!(rfc3339(seconds).unwrap(), text);
        }
    }
}
