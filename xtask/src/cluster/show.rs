//! What `cargo xtask cluster` prints.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::ExitCode;

use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use wahook_testbed::kube::{KubeError, Node, Status};

/// The line to copy.
pub(crate) fn export(kubeconfig: &Path) {
    println!("export KUBECONFIG={}", kubeconfig.display());
}

/// What there is now, kubectl put beside it, and the line to copy.
pub(crate) fn started(node: &Node, directory: &Path) -> Result<(), KubeError> {
    let bin = directory.join("bin");
    let link = || {
        match fs::remove_file(&bin) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        symlink(node.programs().directory(), &bin)
    };
    link().map_err(|source| KubeError::Io {
        doing: format!("link {}", bin.display()),
        source,
    })?;
    println!(
        "The cluster at {} is up. kubectl is in {}.",
        node.url(),
        bin.display()
    );
    println!("`cargo xtask cluster down` stops and deletes it.");
    export(&node.kubeconfig());
    Ok(())
}

/// Each part; fails when the cluster is not ready.
pub(crate) fn status(status: Option<&Status>, directory: &Path) -> ExitCode {
    let Some(status) = status else {
        println!("There is no cluster in {}.", directory.display());
        return ExitCode::FAILURE;
    };
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_header(["part", "process", "log"]);
    for part in &status.parts {
        let process = part
            .pid
            .map_or_else(|| "does not run".to_owned(), |pid| pid.to_string());
        table.add_row([part.name.to_owned(), process, part.log.display().to_string()]);
    }
    println!("{table}");
    println!(
        "{} is {}.",
        status.url,
        if status.ready { "ready" } else { "not ready" }
    );
    export(&status.kubeconfig);
    if status.ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
