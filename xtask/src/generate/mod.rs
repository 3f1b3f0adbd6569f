//! `cargo xtask generate`: the files that are made from the code, so that they cannot say something else.

mod chart;
mod cli;
mod dashboards;
mod metrics;
mod mixin;
mod rules;
mod values;

use std::fs;
use std::io;
use std::process::ExitCode;

use clap::Args;

use crate::workspace::Workspace;

/// Arguments of `cargo xtask generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Change nothing; fail when a file is not what the code says
    #[arg(long)]
    check: bool,
}

/// Why files could not be generated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GenerateError {
    /// A generated file could not be read or written.
    #[error("{path}: {source}. Check that the directory exists and can be written")]
    File {
        /// Which file, from the root of the workspace.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The resource definition could not be written as YAML.
    #[error("crds/whatsappwebhooks.yaml: {0}. Look at what changed in the crate wahook-crds")]
    Definition(String),
    /// The alerts could not be written as YAML.
    #[error("monitoring/rules: {0}. Look at what changed in operator/src/build/alerts")]
    Rules(String),
    /// The operator's metrics could not be registered.
    #[error("docs/metrics.md: {0}. Look at what changed in operator/src/metrics")]
    Metrics(#[from] prometheus::Error),
    /// A file of the Helm chart could not be made.
    #[error(transparent)]
    Chart(#[from] chart::ChartError),
    /// What should be a JSON Schema is none.
    #[error("{path}: {reason}. Look at what it is made from")]
    Schema {
        /// Which file, from the root of the workspace.
        path: String,
        /// What its own schema says.
        reason: String,
    },
}

/// A file by its path from the root of the workspace, and what it has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Generated {
    path: String,
    content: String,
}

/// Every generated file of the workspace.
fn files() -> Result<Vec<Generated>, GenerateError> {
    let file = |path: &str, content| Generated {
        path: path.to_owned(),
        content,
    };
    let definition = wahook_crds::crd_yaml().map_err(|error| GenerateError::Definition(error.to_string()))?;
    let chart = chart::files(&definition)?;
    let chart = chart.map(|(path, content)| file(path, content));
    let contract = wahook_events::samples::generated()
        .into_iter()
        .chain(wahook_events::schema::generated());
    let contract = contract.map(|made| file(&format!("events/{}", made.path), made.text));
    let pages = [
        file("docs/metrics.md", metrics::page()?),
        file("docs/cli.md", cli::page()),
        file("crds/whatsappwebhooks.yaml", definition),
    ];
    let rules = rules::files().map_err(|error| GenerateError::Rules(error.to_string()))?;
    let rules = rules.map(|(path, content)| file(path, content));
    let dashboards = dashboards::files().into_iter();
    let mixin = mixin::files().map(|(path, content)| file(path, content));
    Ok(pages
        .into_iter()
        .chain(chart)
        .chain(contract)
        .chain(rules)
        .chain(dashboards.map(|(path, content)| file(&path, content)))
        .chain(mixin)
        .collect())
}

/// Writes every file that is not what it should be; with `--check` only names them and fails.
pub(crate) fn run(workspace: &Workspace, args: &GenerateArgs) -> Result<ExitCode, GenerateError> {
    let mut drifted = 0;
    let files = files()?;
    files.iter().try_for_each(check_schema)?;
    for Generated { path, content } in &files {
        let at = workspace.file(path);
        let error = |source| GenerateError::File {
            path: path.clone(),
            source,
        };
        let found = match fs::read_to_string(&at) {
            Ok(text) => Some(text),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => None,
            Err(other) => return Err(error(other)),
        };
        let Some(difference) = difference(found.as_deref(), content) else {
            continue;
        };
        drifted += 1;
        if args.check {
            println!("{path}: {difference}");
        } else {
            if let Some(directory) = at.parent() {
                fs::create_dir_all(directory).map_err(error)?;
            }
            fs::write(&at, content).map_err(error)?;
            println!("{path}: written");
        }
    }
    if args.check && drifted > 0 {
        println!("run `cargo xtask generate` and commit what it changes");
        return Ok(ExitCode::FAILURE);
    }
    println!(
        "{} generated files, {}",
        files.len(),
        if drifted == 0 {
            "none changed"
        } else {
            "now up to date"
        }
    );
    Ok(ExitCode::SUCCESS)
}

/// Whether a file that is a schema by its name is one (JSON Schema, draft 7).
fn check_schema(Generated { path, content }: &Generated) -> Result<(), GenerateError> {
    let is_schema = path.ends_with(".schema.json") || path.starts_with("events/schema/");
    if !is_schema {
        return Ok(());
    }
    let error = |reason: String| GenerateError::Schema {
        path: path.clone(),
        reason,
    };
    let schema = serde_json::from_str(content).map_err(|problem| error(problem.to_string()))?;
    jsonschema::draft7::meta::validate(&schema).map_err(|problem| error(problem.to_string()))
}

/// Where a file departs from what it has to hold; `None` when it does not.
fn difference(found: Option<&str>, content: &str) -> Option<String> {
    let Some(found) = found else {
        return Some("does not exist".to_owned());
    };
    if found == content {
        return None;
    }
    let same = found
        .lines()
        .zip(content.lines())
        .take_while(|(is, must)| is == must)
        .count();
    Some(format!("is not what the code says, from line {} on", same + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(difference(Some("a\nb\n"), "a\nb\n"), None);
        assert_eq!(difference(None, "a").as_deref(), Some("does not exist"));
        let line = |found, content| difference(Some(found), content).unwrap_or_default();
        assert!(line("a\nx\nc", "a\nb\nc").contains("line 2 "));
        assert!(line("a\n", "a\nb\n").contains("line 2 "));
        assert!(line("a", "a\n").contains("line 2 "));
    }

    #[test]
    fn every_page_says_that_it_is_generated_and_by_what() {
        for Generated { path, content } in files().unwrap() {
            // JSON has no comments, and the golden file is a list.
            let is_page = [".md", ".yaml"].iter().any(|end| path.ends_with(end));
            let head: String = content.lines().take(5).collect();
            assert!(!is_page || head.contains("cargo xtask generate"), "{path}");
            assert!(content.ends_with('\n') && !content.ends_with("\n\n"), "{path}");
        }
    }

    #[test]
    fn what_is_called_a_schema_must_be_one() {
        let check = |path: &str, content: &str| {
            check_schema(&Generated {
                path: path.to_owned(),
                content: content.to_owned(),
            })
        };
        assert!(check("events/schema/calls.json", r#"{"type": "object"}"#).is_ok());
        assert!(check("charts/wahook/values.schema.json", r#"{"type": "thing"}"#).is_err());
        assert!(check("docs/metrics.md", "no schema").is_ok());
    }
}
