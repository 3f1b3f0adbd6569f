//! What cargo-mutants found, read from its `outcomes.json`. Pure.

use serde_json::Value;

/// What became of one change of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A test failed, or the tests did not end.
    Caught,
    /// Every test passed.
    Missed,
    /// It does not compile: nothing was tried.
    Unviable,
}

/// One change of the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mutant {
    /// Where and what, in cargo-mutants' words.
    pub(super) name: String,
    pub(super) fate: Fate,
}

/// Reads the changes; `None` when the file is not what cargo-mutants writes.
pub(super) fn read(text: &str) -> Option<Vec<Mutant>> {
    let report: Value = serde_json::from_str(text).ok()?;
    let mutants = report["outcomes"].as_array()?.iter();
    mutants
        .filter_map(|outcome| Some((outcome["scenario"]["Mutant"].as_object()?, outcome)))
        .map(|(mutant, outcome)| {
            let fate = match outcome["summary"].as_str()? {
                "CaughtMutant" | "Timeout" => Fate::Caught,
                "MissedMutant" => Fate::Missed,
                "Unviable" => Fate::Unviable,
                _ => return None,
            };
            let name = mutant.get("name")?.as_str()?.to_owned();
            Some(Mutant { name, fate })
        })
        .collect()
}

/// The changes that no test noticed so far.
pub(super) fn missed(mutants: &[Mutant]) -> impl Iterator<Item = &Mutant> {
    mutants.iter().filter(|mutant| mutant.fate == Fate::Missed)
}

/// Puts what another round found in the place of what those before it had missed; the first round finds all there is.
pub(super) fn merge(mutants: &mut Vec<Mutant>, again: Vec<Mutant>) {
    if mutants.is_empty() {
        *mutants = again;
        return;
    }
    for mutant in mutants.iter_mut().filter(|mutant| mutant.fate == Fate::Missed) {
        if let Some(again) = again.iter().find(|again| again.name == mutant.name) {
            mutant.fate = again.fate;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TEXT: &str = r#"{"outcomes": [
        {"scenario": "Baseline", "summary": "Success"},
        {"scenario": {"Mutant": {"name": "a"}}, "summary": "CaughtMutant"},
        {"scenario": {"Mutant": {"name": "b"}}, "summary": "MissedMutant"},
        {"scenario": {"Mutant": {"name": "c"}}, "summary": "Timeout"},
        {"scenario": {"Mutant": {"name": "d"}}, "summary": "Unviable"}
    ]}"#;

    #[test]
    fn each_change_has_its_fate_and_the_second_look_counts() {
        let mut mutants = Vec::new();
        merge(&mut mutants, read(TEXT).unwrap());
        let fates = |mutants: &[Mutant]| mutants.iter().map(|mutant| mutant.fate).collect::<Vec<_>>();
        assert_eq!(
            fates(&mutants),
            [Fate::Caught, Fate::Missed, Fate::Caught, Fate::Unviable]
        );
        let again = Mutant {
            name: "b".to_owned(),
            fate: Fate::Caught,
        };
        assert_eq!(missed(&mutants).collect::<Vec<_>>(), [&mutants[1]]);
        merge(&mut mutants, vec![again]);
        assert_eq!(fates(&mutants)[1], Fate::Caught);
        assert_eq!(read("{}"), None);
        assert_eq!(read(&TEXT.replace("Timeout", "Success")), None);
    }
}
