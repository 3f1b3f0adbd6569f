//! What each Kubernetes version says about its own kinds: the `OpenAPI` document in its Go module.
//!
//! A module is about 20 MB and its document 4 MB; the document alone is kept in the cache.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde_json::Value;

use super::error::KubeError;
use super::module::{Cache, fetch};
use crate::nats::cache_directory;

/// The newest release of every minor version that the chart supports, the oldest first.
pub const VERSIONS: [&str; 8] = [
    "1.30.14",
    "1.31.14",
    "1.32.13",
    "1.33.13",
    "1.34.4",
    "1.35.4",
    "1.36.3",
    super::install::VERSION,
];

/// The document in a module.
const DOCUMENT: &str = "api/openapi-spec/swagger.json";

/// The document of one version. Blocks; the first time its module is fetched, which takes seconds.
///
/// # Errors
/// [`KubeError::Definitions`] says what is missing.
pub fn openapi(version: &str) -> Result<Value, KubeError> {
    let module = format!("k8s.io/kubernetes@v{version}");
    read(version, &module).map_err(|reason| KubeError::Definitions { module, reason })
}

fn read(version: &str, module: &str) -> Result<Value, String> {
    let cache = cache_directory().ok_or("there is no cache directory (set WAHOOK_CACHE or HOME)")?;
    let home = cache.join(format!("kube-openapi-{version}"));
    let target = home.join("swagger.json");
    if !target.is_file() {
        keep(module, &home, &target)?;
    }
    let text = fs::read(&target).map_err(|error| format!("{}: {error}", target.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", target.display()))
}

/// The lock makes a second process wait and take the first one's result.
fn keep(module: &str, home: &Path, target: &Path) -> Result<(), String> {
    let text = |error: io::Error| format!("{}: {error}", home.display());
    fs::create_dir_all(home).map_err(text)?;
    let lock = File::create(home.join("fetch.lock")).map_err(text)?;
    lock.lock().map_err(text)?;
    if target.is_file() {
        return Ok(());
    }
    eprintln!("{module}: fetching its OpenAPI document, once");
    let scratch = tempfile::Builder::new()
        .prefix("fetch-")
        .tempdir_in(home)
        .map_err(text)?;
    let source = fetch(module, Cache::At(scratch.path()))?.join(DOCUMENT);
    fs::rename(&source, target).map_err(|error| format!("{}: {error}", source.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minor_version_is_left_out() {
        let minors: Vec<u32> = VERSIONS
            .iter()
            .map(|version| version.split('.').nth(1).unwrap().parse().unwrap())
            .collect();
        assert!(minors.windows(2).all(|pair| pair[1] == pair[0] + 1), "{minors:?}");
    }
}
