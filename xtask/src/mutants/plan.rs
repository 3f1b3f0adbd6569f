//! What is changed, and which tests should notice.

/// A part of the code that has tests of its own.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) package: &'static str,
    pub(super) files: &'static [&'static str],
    /// Rounds of tests, the quickest first: each looks at what those before it did not notice.
    pub(super) rounds: &'static [Round],
}

/// Arguments of `cargo test`.
#[derive(Debug)]
pub(super) struct Round {
    /// What is built and run.
    pub(super) targets: &'static [&'static str],
    /// Which of its tests, and how: what stands behind `--`.
    pub(super) tests: &'static [&'static str],
}

/// With a broker, within seconds: without the tests that wait for a time-out or a quorum.
const QUICK_BROKER: Round = Round {
    targets: &["--test", "acceptance", "--test", "broker"],
    tests: &[
        "--test-threads=16",
        "--skip=load::",
        "--skip=cluster::",
        "--skip=rotated_credentials",
        "--skip=a_stopped_broker",
        "--skip=a_missing_stream_is_noticed",
    ],
};

/// With a broker, all but the load, which shows what the others have shown already.
const BROKER: Round = Round {
    targets: &["--test", "broker"],
    tests: &["--test-threads=16", "--skip=load::"],
};

const UNITS: Round = Round {
    targets: &["--lib"],
    tests: &[],
};

/// What the project exists for.
pub(super) const PARTS: [Part; 4] = [
    Part {
        name: "signature",
        package: "wahook-receiver",
        files: &["receiver/src/signature.rs"],
        rounds: &[
            Round {
                targets: &["--lib", "--test", "verify_signature"],
                tests: &[],
            },
            Round {
                targets: &["--test", "http"],
                tests: &["signature::"],
            },
        ],
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
        rounds: &[
            Round {
                targets: &["--all-features", "--lib", "--test", "split"],
                tests: &[],
            },
            Round {
                targets: &["--all-features", "--tests"],
                tests: &[],
            },
        ],
    },
    Part {
        name: "dedupe",
        package: "wahook-receiver",
        files: &["receiver/src/dedupe.rs"],
        rounds: &[UNITS, QUICK_BROKER, BROKER],
    },
    Part {
        name: "publish",
        package: "wahook-receiver",
        files: &["receiver/src/publish/*.rs"],
        rounds: &[UNITS, QUICK_BROKER, BROKER],
    },
];

impl Part {
    /// The part of that name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        PARTS.iter().find(|part| part.name == name)
    }

    /// The command of a round, as it is typed.
    pub(super) fn command(&self, round: &Round) -> String {
        let mut command = format!("cargo test -p {} {}", self.package, round.targets.join(" "));
        if !round.tests.is_empty() {
            command.push_str(" -- ");
            command.push_str(&round.tests.join(" "));
        }
        command
    }
}
