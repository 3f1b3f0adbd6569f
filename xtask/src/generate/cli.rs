//! The page of the command line, from the help texts themselves.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};
use wahook_receiver::cli::Cli;

const HEAD: &str = "\
# Command line

<!-- Written by `cargo xtask generate` from receiver/src/cli/. Do not edit. -->

What `wahook-receiver --help` and the help of each command say.
";

/// The width of the help texts, whatever terminal this runs in.
const WIDTH: usize = 100;

/// The page.
pub(super) fn page() -> String {
    let mut root = Cli::command().term_width(WIDTH);
    // Names the commands in full: `wahook-receiver send`.
    root.build();
    let mut page = HEAD.to_owned();
    section(&mut page, "wahook-receiver", &mut root);
    for command in root.get_subcommands_mut() {
        if command.get_name() != "help" {
            let title = format!("wahook-receiver {}", command.get_name());
            section(&mut page, &title, command);
        }
    }
    page
}

fn section(page: &mut String, title: &str, command: &mut Command) {
    let help = command.render_long_help().to_string();
    let lines: Vec<_> = help.trim().lines().map(str::trim_end).collect();
    // Writing to a string does not fail.
    let _ = write!(page, "\n## {title}\n\n```text\n{}\n```\n", lines.join("\n"));
}
