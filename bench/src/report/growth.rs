//! How the receiver's cost grows, as tables.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::figure::{number, plain, row, spread};
use crate::results::{Middle, Results, Sample, Series};

/// The tables of all series that were measured.
pub(super) fn tables(results: &Results) -> String {
    let mut text = String::new();
    for (series, title) in [
        (
            Series::Connections,
            "Connections, each busy all the time, one text message in each request",
        ),
        (
            Series::Body,
            "Size of a body of statuses, in bytes; 4 connections",
        ),
        (
            Series::Remembered,
            "Ids remembered, all of them filled in before; one text message in each request, 64 connections",
        ),
    ] {
        let places: BTreeSet<u64> = points(results, series).map(|(at, _)| at).collect();
        if places.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n{title}:\n\n| | us/request | us/event | broker us/event | requests/s | p50 ms | p99 ms | memory at most, MiB | not 200 |\n\
             |---|---|---|---|---|---|---|---|---|\n"
        );
        for at in places {
            let middle = |figure: fn(&Sample) -> f64| {
                let values: Vec<f64> = points(results, series)
                    .filter(|(place, _)| *place == at)
                    .map(|(_, sample)| figure(sample))
                    .collect();
                Middle::of(&values)
            };
            text.push_str(&row(&[
                grouped(at),
                spread(middle(|sample| sample.cpu)),
                plain(middle(|sample| sample.cpu * requests_for_each_event(sample))),
                plain(middle(|sample| sample.store * requests_for_each_event(sample))),
                plain(middle(|sample| sample.per_second)),
                plain(middle(|sample| sample.p50)),
                plain(middle(|sample| sample.p99)),
                plain(middle(|sample| sample.peak)),
                refused(results, series, at),
            ]));
        }
    }
    text
}

fn points(results: &Results, series: Series) -> impl Iterator<Item = (u64, &Sample)> {
    let points = results.growth.iter().filter(move |point| point.series == series);
    points.map(|point| (point.at, &point.sample))
}

#[allow(clippy::cast_precision_loss, reason = "counts of a run")]
fn requests_for_each_event(sample: &Sample) -> f64 {
    sample.requests as f64 / sample.events.max(1) as f64
}

/// Requests that the receiver's own limits sent away, of all rounds.
#[allow(clippy::cast_precision_loss, reason = "counts of a run")]
fn refused(results: &Results, series: Series, at: u64) -> String {
    let here = points(results, series).filter(|(place, _)| *place == at);
    let (refused, all) = here.fold((0, 0), |(refused, all), (_, sample)| {
        (refused + sample.refused, all + sample.requests)
    });
    if refused == 0 {
        return "0".to_owned();
    }
    format!("{} %", number(100.0 * refused as f64 / all as f64))
}

fn grouped(at: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "millions at most")]
    let value = at as f64;
    if at < 100 { at.to_string() } else { number(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Peer;
    use crate::results::tests::sample;
    use crate::results::{Cell, Point};

    #[test]
    fn a_point_is_the_median_of_its_rounds() {
        let point = |round, cpu| Point {
            series: Series::Remembered,
            at: 5_000_000,
            sample: Sample {
                events: 500,
                refused: 10,
                ..sample(Peer::Receiver, Cell::TEXT, round, cpu)
            },
        };
        let results = Results {
            growth: vec![point(0, 20.0), point(1, 30.0)],
            ..Results::default()
        };
        let tables = tables(&results);
        assert!(
            tables.contains("| 5 000 000 | 25.0 [20.0-30.0] | 50.0 | 40.0 |"),
            "{tables}"
        );
        assert!(tables.contains("| 1.00 % |"), "{tables}");
        assert!(
            !tables.contains("Connections"),
            "what was not measured is left out"
        );
    }
}
