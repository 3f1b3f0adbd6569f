//! `wahook-operator crd`: the definition of the resource.

use std::io::{self, Write};

/// Prints the definition.
///
/// # Errors
/// When it cannot be written.
pub fn run(mut out: impl Write) -> io::Result<()> {
    let yaml = wahook_crds::crd_yaml().map_err(io::Error::other)?;
    out.write_all(yaml.as_bytes())
}
