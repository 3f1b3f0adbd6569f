//! The page of the command lines, from the help texts themselves.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

const HEAD: &str = "\
# Command line

<!-- Written by `cargo xtask generate` from receiver/src/cli/ and operator/src/cli/. Do not edit. -->

What `--help` of both programs and of each of their commands says.
";

/// The width of the help texts, whatever terminal this runs in.
const WIDTH: usize = 100;

/// The page.
pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    for program in [
        wahook_receiver::cli::Cli::command(),
        wahook_operator::cli::Cli::command(),
    ] {
        add(&mut page, program);
    }
    page
}

/// A program and each of its commands.
fn add(page: &mut String, program: Command) {
    // The page is the same wherever it is made: no width of a terminal, no value of a variable.
    let hide = |command: Command| command.mut_args(|arg| arg.hide_env_values(true));
    let mut root = hide(program.term_width(WIDTH)).mut_subcommands(hide);
    // Names the commands in full: `wahook-receiver send`.
    root.build();
    let name = root.get_name().to_owned();
    section(page, &name, &mut root);
    for command in root.get_subcommands_mut() {
        if command.get_name() != "help" {
            let title = format!("{name} {}", command.get_name());
            section(page, &title, command);
        }
    }
}

fn section(page: &mut String, title: &str, command: &mut Command) {
    let help = command.render_long_help().to_string();
    let lines: Vec<_> = help.trim().lines().map(str::trim_end).collect();
    // Writing to a string does not fail.
    let _ = write!(page, "\n## {title}\n\n```text\n{}\n```\n", lines.join("\n"));
}
