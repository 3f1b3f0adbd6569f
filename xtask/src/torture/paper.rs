//! The paper: a section for the faults and one for the soak, each written by its own run.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use wahook_testbed::setting::Setting;
use wahook_torture::report::with_section;

use super::error::{Result, TortureError};

/// Where the paper of the repository is.
pub(super) const PLACE: &str = "docs/reports/torture.md";

const TITLE: &str = "\
# What was tried to break it

Written by `cargo xtask torture --report` and `cargo xtask torture soak --report`; not by hand. Figures of one run on one machine.

Each mix starts its own brokers and receivers and delivers numbered events as Meta does: a delivery that is not answered 200 is
made again, ever later, until it is, and one in twenty is made once more although it was. Meanwhile the fault strikes. In the end
every answer is compared with what the stream holds:

| column | what it counts | promised |
|---|---|---|
| lost | events of a delivery that was answered 200, not in the stream or stored after the answer | 0 |
| twice | events with two copies within the window | 0 |
| late | attempts not answered by `limits.publishDeadline` + 1 s, time in which the receiver was stopped or unheard not counted | 0 |
| none | attempts without a whole answer: nobody listened, or the connection ended | |
| slowest | the slowest attempt, that time counted | |
";

/// The file.
pub(super) struct Paper {
    path: PathBuf,
}

impl Paper {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Writes a section, with what it was measured on; the others stay.
    pub(super) fn write(&self, heading: &str, text: &str, profile: &str, setting: &Setting) -> Result {
        let failed = || TortureError::io(format!("write {}", self.path.display()));
        let old = match fs::read_to_string(&self.path) {
            Ok(old) => old,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed()(error)),
        };
        // What stands before the first section is ours as well, so that it is never older than the code.
        let sections = old.find("\n## ").map_or("", |at| &old[at..]);
        let text = format!(
            "| | |\n|---|---|\n| commit | {} |\n| date | {} |\n| machine | {} |\n| receiver | {} build |\n\n{text}",
            setting.commit, setting.date, setting.machine, profile
        );
        let paper = with_section(&format!("{TITLE}{sections}"), heading, &text);
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).map_err(failed())?;
        }
        fs::write(&self.path, paper).map_err(failed())?;
        println!("{} is written.", self.path.display());
        Ok(())
    }
}
