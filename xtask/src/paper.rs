//! A paper of several sections, each written by a run of its own.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use wahook_testbed::setting::Setting;

/// The file.
#[derive(Debug)]
pub(crate) struct Paper {
    path: PathBuf,
    /// What stands before the first section.
    title: &'static str,
}

impl Paper {
    /// The paper at a path, there or not.
    pub(crate) fn at(path: PathBuf, title: &'static str) -> Self {
        Self { path, title }
    }

    /// Writes a section, with what it was measured on: the setting, and `more` as pairs of a name and what it was. The other
    /// sections stay.
    ///
    /// # Errors
    /// The file's, with its path.
    pub(crate) fn write(
        &self,
        heading: &str,
        text: &str,
        setting: &Setting,
        more: &[(&str, &str)],
    ) -> io::Result<()> {
        self.replace(heading, &format!("{}{text}", head(setting, more)))
            .map_err(|error| {
                let told = format!("cannot write {}: {error}", self.path.display());
                io::Error::new(error.kind(), told)
            })?;
        println!("{} is written.", self.path.display());
        Ok(())
    }

    fn replace(&self, heading: &str, text: &str) -> io::Result<()> {
        let old = match fs::read_to_string(&self.path) {
            Ok(old) => old,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        // The title is ours as well, so that it is never older than the code.
        let sections = old.find("\n## ").map_or("", |at| &old[at..]);
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        let paper = with_section(&format!("{}{sections}", self.title), heading, text);
        fs::write(&self.path, paper)
    }
}

fn head(setting: &Setting, more: &[(&str, &str)]) -> String {
    let mut text = String::from("| | |\n|---|---|\n");
    let known = [
        ("commit", setting.commit.as_str()),
        ("date", &setting.date),
        ("machine", &setting.machine),
    ];
    for (name, value) in known.iter().chain(more) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text.push('\n');
    text
}

/// The document with another text below the heading `## heading`; the section is added when it is not there.
fn with_section(document: &str, heading: &str, text: &str) -> String {
    let heading = format!("## {heading}");
    let is_heading = |line: &str| line.trim_end() == heading;
    let mut kept = String::new();
    let (mut inside, mut written) = (false, false);
    for line in document.lines() {
        if line.starts_with("## ") {
            inside = is_heading(line);
            if inside && !written {
                let _ = write!(kept, "{heading}\n\n{}\n\n", text.trim_end());
                written = true;
            }
        }
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    if !written {
        let _ = write!(kept, "\n{heading}\n\n{}\n", text.trim_end());
    }
    format!("{}\n", kept.trim_end())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_section_is_replaced_and_the_others_stay() {
        let document = "# Paper\n\n## One\n\nold\n\n## Two\n\nb\n";
        let one = with_section(document, "One", "new\n");
        assert_eq!(one, "# Paper\n\n## One\n\nnew\n\n## Two\n\nb\n");
        let two = with_section(&one, "Two", "c");
        assert_eq!(two, "# Paper\n\n## One\n\nnew\n\n## Two\n\nc\n");
        assert!(with_section(&two, "Three", "d").ends_with("c\n\n## Three\n\nd\n"));
    }

    #[test]
    fn a_section_says_what_it_was_measured_on_below_the_title_of_today() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("reports/paper.md");
        let setting = Setting {
            commit: "abc".to_owned(),
            date: "2026-01-01".to_owned(),
            machine: "2 cores".to_owned(),
        };
        let write = |title, heading, text| {
            let paper = Paper::at(path.clone(), title);
            paper.write(heading, text, &setting, &[("tests", "all")]).unwrap();
        };
        write("# Of yesterday\n", "One", "first\n");
        write("# Of today\n", "Two", "second\n");
        let head = "| | |\n|---|---|\n| commit | abc |\n| date | 2026-01-01 |\n| machine | 2 cores |\n| tests | all |\n\n";
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!("# Of today\n\n## One\n\n{head}first\n\n## Two\n\n{head}second\n")
        );
    }
}
