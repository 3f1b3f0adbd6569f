//! Short commands of the system, run to their end.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use super::error::KubeError;

/// Runs a program; its output, or what it complained.
pub(crate) async fn run<A: AsRef<OsStr>>(program: &Path, arguments: &[A]) -> Result<String, KubeError> {
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(KubeError::io(format!("run {}", program.display())))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words: Vec<_> = arguments
        .iter()
        .map(|argument| argument.as_ref().to_string_lossy())
        .collect();
    Err(KubeError::Command {
        command: format!("{} {}", program.display(), words.join(" ")),
        status: output.status,
        complaint: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
