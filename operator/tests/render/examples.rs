//! The manifests of `examples/` are resources that work.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use wahook_operator::cli::{Cli, Command, render};

/// Every YAML file below a directory.
fn manifests(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(manifests(&path));
        } else if path.extension().is_some_and(|end| end == "yaml") {
            found.push(path);
        }
    }
    found
}

/// Admitted, valid and built, by an operator whose flags allow what can be allowed.
#[test]
fn every_example_becomes_children() {
    let directory = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"));
    let mut resources = 0;
    for path in manifests(&directory) {
        let text = fs::read_to_string(&path).unwrap();
        let here = text
            .lines()
            .filter(|line| *line == "kind: WhatsAppWebhook")
            .count();
        if here == 0 {
            continue;
        }
        resources += here;
        let everything = [
            "--allow-images=*",
            "--allow-nats-servers=*",
            "--allow-issuers=*",
            "--allow-annotations=*",
            "--allow-labels=*",
            "--allow-env=*",
        ];
        let args = [
            "wahook-operator",
            "render",
            "--nats-servers=nats://nats.nats:4222",
            "-f",
        ];
        let args = args.into_iter().chain([path.to_str().unwrap()]).chain(everything);
        let Command::Render(args) = Cli::try_parse_from(args).unwrap().command else {
            panic!("another command")
        };
        let (mut out, mut log) = (Vec::new(), Vec::new());
        let accepted = render::run(&args, std::io::empty(), &mut out, &mut log);
        let (out, log) = (String::from_utf8(out).unwrap(), String::from_utf8(log).unwrap());
        assert!(accepted.unwrap(), "{}: {log}", path.display());
        assert_eq!(
            out.lines().filter(|line| *line == "kind: Deployment").count(),
            here,
            "{}",
            path.display()
        );
    }
    assert!(resources > 0, "{} has no WhatsAppWebhook", directory.display());
}
