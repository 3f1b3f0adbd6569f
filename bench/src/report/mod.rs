//! What the figures say: the page of the repository, its picture, and a few lines for the terminal. Pure.

mod figure;
mod growth;
mod page;
mod picture;
mod targets;

use std::fmt::Write as _;

use crate::results::Results;

pub use page::markdown;
pub use picture::picture;

/// The main figures, for the terminal.
pub fn summary(results: &Results) -> String {
    let mut text = String::new();
    for cell in results.cells() {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "\n{cell}\n{:<16}{:>12}{:>14}{:>12}{:>11}{:>11}",
            "", "us/request", "broker us", "requests/s", "p50 ms", "p99 ms"
        );
        for peer in results.peers() {
            let figure = |of: fn(&crate::results::Sample) -> f64| {
                results
                    .middle(cell, peer, of)
                    .map_or(f64::NAN, |middle| middle.median)
            };
            if results.of(cell, peer).next().is_some() {
                let _ = writeln!(
                    text,
                    "{:<16}{:>12.1}{:>14.1}{:>12.0}{:>11.2}{:>11.2}",
                    peer.name(),
                    figure(|sample| sample.cpu),
                    figure(|sample| sample.store),
                    figure(|sample| sample.per_second),
                    figure(|sample| sample.p50),
                    figure(|sample| sample.p99),
                );
            }
        }
    }
    text
}
