//! `--keep`: a file with the settings of a bot that takes part, for `. target/demo.env` in another terminal (docs/develop.md).

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::DemoError;
use super::house::{House, STREAM};
use crate::workspace::Workspace;

/// Where the file is, from the root of the workspace.
const PATH: &str = "target/demo.env";

/// The file. It goes when this is dropped: what it names is gone then too.
pub(super) struct Settings(PathBuf);

impl Settings {
    /// Writes it, for nobody else to read.
    pub(super) fn write(workspace: &Workspace, house: &House) -> Result<Self, DemoError> {
        let path = workspace.file(PATH);
        match write(&path, &text(house)) {
            Ok(()) => Ok(Self(path)),
            Err(source) => Err(DemoError::Settings {
                path: path.display().to_string(),
                source,
            }),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        // Left over, it names a broker that does not answer.
        let _ = fs::remove_file(&self.0);
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// Variables of the environment: what examples/consumers reads, and what `wahook-receiver send` needs.
fn text(house: &House) -> String {
    let variables = [
        ("NATS_URL", house.nats.url()),
        ("STREAM", STREAM.to_owned()),
        ("GRAPH_URL", house.graph.url()),
        ("GRAPH_TOKEN", house.access_token.clone()),
        ("MEDIA_HOSTS", house.graph.media_host()),
        // Not as patient as with the real Meta: the demo's pictures are at nobody's, and who watches wants to see what comes of that.
        ("TRIES", "2".to_owned()),
        ("RETRY", "0.2".to_owned()),
        ("WEBHOOK", house.meta.url().to_owned()),
        ("WHATSAPP_APP_SECRET", house.app_secret.clone()),
    ];
    let lines = variables.map(|(name, value)| format!("export {name}='{value}'\n"));
    lines.concat()
}
