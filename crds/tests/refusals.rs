//! What the API server refuses, by running the very schema and rules it will run.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::refused::{ADMITTED, CHANGED, CREATED};
use support::{refusals, schema, smallest_with};

#[test]
fn bad_resources_are_refused_by_a_message_that_names_the_field() {
    assert!(CREATED.len() >= 60);
    let schema = schema();
    for (patch, says) in CREATED {
        let found = refusals(&schema, &smallest_with(patch), None);
        assert!(
            found.iter().any(|refusal| refusal.contains(says)),
            "{patch}\n  said {found:#?}\n  not {says}"
        );
    }
}

#[test]
fn good_resources_are_admitted() {
    let schema = schema();
    for patch in ADMITTED {
        let found = refusals(&schema, &smallest_with(patch), None);
        assert!(found.is_empty(), "{patch}\n  said {found:#?}");
    }
}

#[test]
fn what_jetstream_cannot_undo_is_refused_as_a_change() {
    let schema = schema();
    for (before, after, says) in CHANGED {
        let (before, after) = (smallest_with(before), smallest_with(after));
        let found = refusals(&schema, &after, Some(&before));
        assert!(found.iter().any(|refusal| refusal.contains(says)), "{found:#?}");
        assert!(
            refusals(&schema, &before, Some(&before)).is_empty(),
            "no change is refused"
        );
        assert!(
            refusals(&schema, &after, None).is_empty(),
            "{says}: refused already as a new resource"
        );
    }
}

/// A rule that cannot be evaluated refuses everything or nothing; each must be understood.
#[test]
fn every_rule_is_evaluated() {
    let schema = schema();
    for (patch, _) in CREATED {
        for refusal in refusals(&schema, &smallest_with(patch), None) {
            for trouble in ["failed rule", "compil", "evaluation", "unsupported"] {
                assert!(!refusal.to_lowercase().contains(trouble), "{patch}: {refusal}");
            }
        }
    }
}
