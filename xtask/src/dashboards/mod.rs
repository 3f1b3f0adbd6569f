//! `cargo xtask dashboards`: pictures of the dashboards, drawn by ourselves, with what a real Prometheus answered.
//!
//! Grafana is not needed. What is drawn where, in which unit and with which lines comes from the same JSON that Grafana reads.

mod answers;
mod draw;
mod numbers;
mod picture;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use crate::workspace::Workspace;

/// Where the pictures are, from the root of the workspace.
const PLACE: &str = "docs/images";

/// Arguments of `cargo xtask dashboards`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DashboardsArgs {
    /// The file of answers
    #[arg(value_name = "FILE")]
    answers: PathBuf,
}

const AFTER_HELP: &str = "\
The test of the dashboards' queries writes the answers, while a receiver and an operator work:
  WAHOOK_DASHBOARD_SECONDS=180 WAHOOK_DASHBOARD_ANSWERS=/tmp/answers.json \\
    cargo xtask test --kubernetes -- every_query_of_the_dashboards
  cargo xtask dashboards /tmp/answers.json";

/// Why there are no pictures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DashboardsError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The answers are no JSON.
    #[error("the answers: {0}. Have them written again; see `cargo xtask dashboards --help`")]
    Answers(#[from] serde_json::Error),
    /// The picture could not be drawn.
    #[error("{name}: {reason}. Look at what changed in xtask/src/dashboards")]
    Drawing {
        /// The dashboard.
        name: &'static str,
        /// Why.
        reason: String,
    },
}

/// Draws every dashboard.
pub(crate) fn run(workspace: &Workspace, args: &DashboardsArgs) -> Result<ExitCode, DashboardsError> {
    let failed = |path: &PathBuf| {
        let path = path.clone();
        |source| DashboardsError::File { path, source }
    };
    let text = fs::read_to_string(&args.answers).map_err(failed(&args.answers))?;
    let answers: Value = serde_json::from_str(&text)?;
    let directory = workspace.file(PLACE);
    fs::create_dir_all(&directory).map_err(failed(&directory))?;
    for dashboard in wahook_dashboards::all() {
        let name = dashboard.name;
        let drawn = picture::svg(&dashboard.json, &answers[name]);
        let svg = drawn.map_err(|error| DashboardsError::Drawing {
            name,
            reason: error.to_string(),
        })?;
        let path = directory.join(format!("dashboard-{}.svg", name.trim_start_matches("wahook-")));
        fs::write(&path, svg).map_err(failed(&path))?;
        println!("{} is written.", path.display());
    }
    Ok(ExitCode::SUCCESS)
}
