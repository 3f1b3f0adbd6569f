//! The receiver and the operator as static programs, the same bytes wherever they are built.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

use super::MakeError;
use crate::workspace::{Workspace, built};

/// A program that there is an image of.
pub(super) struct Program {
    /// The program's name, and the image's.
    pub(super) name: &'static str,
    description: &'static str,
}

/// Every program, in the order in which [`programs`] gives their paths.
pub(super) const PROGRAMS: [Program; 2] = [
    Program {
        name: "wahook-receiver",
        description: "Receives WhatsApp Business webhooks and stores them in NATS JetStream",
    },
    Program {
        name: "wahook-operator",
        description: "Turns WhatsAppWebhook resources into running webhooks",
    },
];

impl Program {
    /// OCI's own labels (image-spec, annotations).
    pub(super) fn labels(&self, version: &str) -> BTreeMap<String, String> {
        [
            ("title", self.name),
            ("description", self.description),
            ("version", version),
            ("licenses", env!("CARGO_PKG_LICENSE")),
            ("source", env!("CARGO_PKG_REPOSITORY")),
        ]
        .into_iter()
        .map(|(key, value)| (format!("org.opencontainers.image.{key}"), value.to_owned()))
        .collect()
    }
}

/// Builds the programs; their paths. Progress goes to standard error.
pub(super) fn programs(workspace: &Workspace, release: bool) -> Result<Vec<PathBuf>, MakeError> {
    if !cfg!(target_os = "linux") {
        return Err(MakeError::NotLinux);
    }
    let mut command = workspace.cargo();
    command
        .args(["build", "--locked"])
        .args(["--profile", if release { "release" } else { "image" }])
        // Named, although it is this machine's own: else the flags would also reach build scripts and macros, which
        // cannot be static.
        .args(["--target", &format!("{}-unknown-linux-gnu", env::consts::ARCH)])
        .env("CARGO_ENCODED_RUSTFLAGS", rust_flags(workspace).join("\u{1f}"))
        .env_remove("RUSTFLAGS");
    for program in &PROGRAMS {
        command.args(["--package", program.name, "--bin", program.name]);
    }
    Ok(built(command, &PROGRAMS.each_ref().map(|program| program.name))?)
}

/// Everything in the program, and no path of this machine: the same sources give the same bytes in any directory.
fn rust_flags(workspace: &Workspace) -> Vec<String> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| home.join(".cargo")));
    let target = env::var_os("CARGO_TARGET_DIR").map(|path| workspace.file("").join(path));
    let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned()];
    let places = [
        (Some(workspace.file("")), "/wahook"),
        (target, "/wahook/target"),
        (cargo_home, "/cargo"),
    ];
    for (place, shown) in places {
        if let Some(place) = place {
            let place = place.display().to_string();
            flags.push(format!(
                "--remap-path-prefix={}={shown}",
                place.trim_end_matches('/')
            ));
        }
    }
    flags
}
