//! Queries ask for nothing that is not exported, and what is exported can be seen somewhere.

use std::collections::BTreeSet;

use wahook_dashboards::all;
use wahook_operator::metrics::Metrics as OperatorMetrics;
use wahook_receiver::metrics::Metrics as ReceiverMetrics;

use super::queries;

/// What the process collector adds.
const PROCESS: [&str; 7] = [
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

/// Exported and on no dashboard, and why.
const NOT_SHOWN: [&str; 2] = [
    // Says nothing that the processors' time does not: the number of workers is fixed.
    "process_threads",
    // Reserved and not used: no measure of anything.
    "process_virtual_memory_bytes",
];

fn exported() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ReceiverMetrics::describe()
        .iter()
        .map(|definition| definition.name.to_owned())
        .collect();
    names.extend(
        OperatorMetrics::new()
            .unwrap()
            .describe()
            .into_iter()
            .map(|metric| metric.name),
    );
    names.extend(PROCESS.map(str::to_owned));
    names
}

/// The names before a brace, which every selector of ours has.
fn asked() -> BTreeSet<(String, String)> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut asked = BTreeSet::new();
    for dashboard in all() {
        for (place, expr) in queries(&dashboard) {
            for (at, _) in expr.match_indices('{') {
                let before = &expr[..at];
                let begin = before.rfind(|letter| !is_part(letter)).map_or(0, |last| last + 1);
                let name = &before[begin..];
                assert!(!name.is_empty(), "{place}: {expr}");
                let base = ["_bucket", "_count", "_sum"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end))
                    .unwrap_or(name);
                asked.insert((place.clone(), base.to_owned()));
            }
        }
    }
    asked
}

#[test]
fn no_query_asks_for_what_nobody_exports() {
    let exported = exported();
    for (place, name) in asked() {
        assert!(exported.contains(&name), "{place}: {name}");
    }
}

#[test]
fn everything_exported_is_shown_or_left_out_on_purpose() {
    let asked: BTreeSet<_> = asked().into_iter().map(|(_, name)| name).collect();
    let left: Vec<_> = exported()
        .into_iter()
        .filter(|name| !asked.contains(name))
        .collect();
    assert_eq!(left, NOT_SHOWN);
}

/// What the list above says is what a scrape of both holds.
#[cfg(target_os = "linux")]
#[test]
fn the_metrics_of_processes_are_those_of_a_scrape() {
    let receiver = ReceiverMetrics::new("shop", "main").unwrap().render();
    let operator = OperatorMetrics::new().unwrap().render().unwrap();
    for scrape in [receiver, operator] {
        let names: Vec<_> = scrape
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE process_"))
            .map(|line| format!("process_{}", line.split(' ').next().unwrap()))
            .collect();
        assert_eq!(names, PROCESS);
    }
}
