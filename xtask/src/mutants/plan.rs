//! What is changed, and which tests should notice.

/// A part of the code that has tests of its own.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) package: &'static str,
    pub(super) files: &'static [&'static str],
    /// Arguments of `cargo test`: tests of a few seconds.
    pub(super) quick: &'static [&'static str],
    /// Tests with a broker and a process, for what the quick ones do not notice. None where the quick ones are all.
    pub(super) thorough: Option<&'static [&'static str]>,
}

/// What the project exists for.
pub(super) const PARTS: [Part; 4] = [
    Part {
        name: "signature",
        package: "wahook-receiver",
        files: &["receiver/src/signature.rs"],
        quick: &["--lib"],
        thorough: Some(&["--lib", "--test", "http", "--test", "timing"]),
    },
    Part {
        name: "split",
        package: "wahook-events",
        files: &[
            "events/src/split/*.rs",
            "events/src/contract.rs",
            "events/src/id.rs",
            "events/src/token.rs",
        ],
        quick: &["--all-features"],
        thorough: None,
    },
    Part {
        name: "dedupe",
        package: "wahook-receiver",
        files: &["receiver/src/dedupe.rs"],
        quick: &["--lib"],
        thorough: Some(&["--lib", "--test", "broker"]),
    },
    Part {
        name: "publish",
        package: "wahook-receiver",
        files: &["receiver/src/publish/*.rs"],
        quick: &["--lib"],
        thorough: Some(&["--lib", "--test", "broker"]),
    },
];

impl Part {
    /// The part of that name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        PARTS.iter().find(|part| part.name == name)
    }
}
