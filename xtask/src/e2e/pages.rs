//! The commands of runbooks and manual: taken from their pages, and their placeholders filled. Pure but for reading the files.
//!
//! What runs is what stands in a block fenced with `sh`, one command a line (a backslash continues it). Assignments hold for
//! the commands after them in the block. `sh change` changes something and is run as the API server would do it, without
//! doing it; `sh meta` asks Meta, and nothing here runs it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Words that a reader replaces, as docs/on-call.md explains them.
pub(super) const PLACEHOLDERS: [&str; 7] = [
    "NAMESPACE",
    "NAME",
    "STREAM",
    "RELEASE",
    "ADDRESS",
    "HOST",
    "SIGNATURE",
];

/// What is added to a command that changes something.
pub(super) const DRY_RUN: &str = "--dry-run=server";

/// What may be done with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It only looks.
    Look,
    /// It changes something.
    Change,
    /// It needs an account at Meta.
    Meta,
}

/// A command and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The file.
    pub(super) page: String,
    /// The line it begins in.
    pub(super) line: usize,
    /// What may be done with it.
    pub(super) mode: Mode,
    /// Assignments of its block that came before.
    pub(super) before: Vec<String>,
    /// The command in one line.
    pub(super) text: String,
}

/// A page has something that cannot be run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum PageError {
    /// A fence with an unknown word behind `sh`.
    #[error("{page}:{line}: a block is `sh`, `sh change` or `sh meta`, not `{fence}`")]
    Fence {
        /// The file.
        page: String,
        /// The fence's line.
        line: usize,
        /// What stands behind the backticks.
        fence: String,
    },
    /// A block without an end.
    #[error("{0}: a block has no end")]
    Open(String),
    /// A word in capitals that is not explained.
    #[error("{page}:{line}: `{word}` is no placeholder that docs/on-call.md explains")]
    Word {
        /// The file.
        page: String,
        /// The command's line.
        line: usize,
        /// The word.
        word: String,
    },
}

/// The pages with commands, by their names in the repository.
pub(super) fn read(root: &Path) -> io::Result<Vec<(String, String)>> {
    let mut names: Vec<PathBuf> = [
        "docs/on-call.md",
        "docs/durability.md",
        "docs/register-with-meta.md",
        "docs/troubleshooting.md",
    ]
    .map(PathBuf::from)
    .into();
    for entry in fs::read_dir(root.join("monitoring/runbooks"))? {
        names.push(Path::new("monitoring/runbooks").join(entry?.file_name()));
    }
    names.sort();
    names
        .into_iter()
        .map(|name| Ok((name.display().to_string(), fs::read_to_string(root.join(&name))?)))
        .collect()
}

/// Every command of a page, in order.
pub(super) fn steps(page: &str, text: &str) -> Result<Vec<Step>, PageError> {
    let mut steps = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((fence, line)) = lines.next() {
        let Some(kind) = fence.strip_prefix("```") else {
            continue;
        };
        let mode = match kind.trim() {
            "sh" => Some(Mode::Look),
            "sh change" => Some(Mode::Change),
            "sh meta" => Some(Mode::Meta),
            other if other.split_whitespace().next() == Some("sh") => {
                return Err(PageError::Fence {
                    page: page.to_owned(),
                    line,
                    fence: other.to_owned(),
                });
            }
            _ => None,
        };
        let mut before = Vec::new();
        let mut command: Option<(usize, String)> = None;
        loop {
            let (text, line) = lines.next().ok_or_else(|| PageError::Open(page.to_owned()))?;
            if text.starts_with("```") {
                break;
            }
            let Some(mode) = mode else { continue };
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (begun, so_far) = command.take().unwrap_or((line, String::new()));
            if let Some(part) = text.strip_suffix('\\') {
                command = Some((begun, so_far + part));
                continue;
            }
            let text = so_far + text;
            if assigned(&text).is_some() {
                before.push(text);
                continue;
            }
            steps.push(Step {
                page: page.to_owned(),
                line: begun,
                mode,
                before: before.clone(),
                text,
            });
        }
    }
    Ok(steps)
}

/// The variable that a line sets, when it does nothing else.
fn assigned(text: &str) -> Option<&str> {
    let (name, value) = text.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    (is_name && (value.starts_with("$(") || !value.contains(' '))).then_some(name)
}

impl Step {
    /// What a shell is given: the placeholders filled, and nothing changed by it.
    pub(super) fn script(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, PageError> {
        let set: BTreeSet<&str> = self.before.iter().filter_map(|line| assigned(line)).collect();
        let mut script = String::new();
        for line in self.before.iter().chain([&self.text]) {
            script.push_str(&self.fill(line, &set, &value)?);
            script.push('\n');
        }
        if self.mode == Mode::Change {
            script.truncate(script.len() - 1);
            script.push(' ');
            script.push_str(DRY_RUN);
            script.push('\n');
        }
        Ok(script)
    }

    fn fill(
        &self,
        text: &str,
        set: &BTreeSet<&str>,
        value: &impl Fn(&str) -> Option<String>,
    ) -> Result<String, PageError> {
        let mut filled = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest
                .find(|letter: char| !is_of_word(letter))
                .unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            let capitals =
                word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            if !capitals || set.contains(word) {
                filled.push_str(word);
            } else {
                let value = PLACEHOLDERS.contains(&word).then(|| value(word)).flatten();
                filled.push_str(&value.ok_or_else(|| PageError::Word {
                    page: self.page.clone(),
                    line: self.line,
                    word: word.to_owned(),
                })?);
            }
            let mut letters = behind.chars();
            filled.extend(letters.next());
            rest = letters.as_str();
        }
        Ok(filled)
    }

    /// Every program that it starts, with its words.
    #[cfg(test)]
    fn programs(&self) -> Vec<Vec<String>> {
        let mut programs = vec![String::new()];
        let mut add = |letter: char, new: bool| {
            if new {
                programs.push(String::new());
            } else if let Some(last) = programs.last_mut() {
                last.push(letter);
            }
        };
        for line in self.before.iter().chain([&self.text]) {
            let (mut single, mut before) = (false, ' ');
            for letter in line.chars() {
                single ^= letter == '\'';
                let opens = letter == '(' && before == '$';
                let joins = "|;".contains(letter) || (letter == '&' && before != '>');
                add(letter, !single && (opens || joins || letter == ')'));
                before = letter;
            }
            add('\n', true);
        }
        programs
            .iter()
            .map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            // What is left of an assignment, and of an argument behind a parenthesis.
            .filter(|words| {
                words
                    .first()
                    .is_some_and(|word| !word.contains('=') && !word.starts_with('"'))
            })
            .collect()
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
