//! The paper: a section for the faults and one for the soak, each written by its own run.

use wahook_testbed::setting::Setting;

use super::error::{Result, TortureError};
use crate::paper::Paper;
use crate::workspace::Workspace;

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

/// Writes a section of the paper at a path of the workspace.
pub(super) fn write(
    workspace: &Workspace,
    path: &str,
    heading: &str,
    text: &str,
    profile: &str,
    setting: &Setting,
) -> Result {
    let receiver = format!("{profile} build");
    Paper::at(workspace.file(path), TITLE)
        .write(heading, text, setting, &[("receiver", &receiver)])
        .map_err(TortureError::io("the paper"))
}
