//! `bench/RESULTS.md`.

use std::fmt::Write as _;

use super::figure::{megabytes, plain, row, spread, times};
use super::{growth, targets};
use crate::peer::{Keeps, Peer};
use crate::results::{Cell, Pace, Results, Sample};
use crate::stats::median;

const INTRODUCTION: &str = "\
# What a delivery costs

Written by `cargo xtask bench` from [results.json](results.json); not by hand. Figures of one run on one machine, no promise: repeat
it with that command, and compare ratios, never times of two machines.

![Processor time for a request, every contestant a bar](results.svg)
";

const METHOD: &str = "
## How it was measured

- Every contestant has the same job: verify the signature over the raw bytes, keep each event once by its id, and answer 200 only when it is
  durable. The echo floor alone does nothing. Bodies are signed beforehand; every event has an id of its own.
- Processor time is the kernel's own account of the contestant's process and its children (nanoseconds), divided by the requests answered. It is
  the figure a busy machine changes least; requests a second depend on everything else that runs, the load generator included.
- Rounds are interleaved: all contestants one after the other at each work, every other round in reverse. Ratios are taken within a round; figures
  are medians with [smallest-largest]. **Differences under about 15 % mean nothing.**
- Each run has a fresh broker: nats-server with one stream (file, one replica, 24 h duplicate window, `discard: new`, the server's own sync
  interval), or Redis (`appendonly yes`, `appendfsync everysec`). A second of warm-up, then the load.
- After each run everything that is stored is read back. What was answered with 200 must be there, once, and nothing else; the badly signed
  must be refused. Otherwise the run does not count, and is listed below.
- In the closed loop each connection sends the next request when it has the answer. At a fixed rate a request's latency counts from the instant
  it was due, so whoever falls behind pays for it.
- Everything runs on one machine over loopback, without TLS. p99 at full speed is queueing for two cores; for latency read the fixed rates.
";

/// The page.
pub fn markdown(results: &Results) -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str(&setting(results));
    text.push_str("\n## Against the goals\n\n");
    text.push_str(&targets::table(results));
    for cell in results.cells() {
        text.push_str(&work(results, cell));
    }
    text.push_str(&at_rest(results));
    text.push_str("\n## How the receiver's cost grows\n");
    text.push_str(&growth::tables(results));
    text.push_str(
        "\nWith more in flight than `limits.inFlightRequests` (1,024) the receiver answers 503 to the rest, by design, and Meta delivers again: \
         \"not 200\".\nHow the operator's cost grows with the number of webhooks: [docs/reports/scale.md](../docs/reports/scale.md).\n",
    );
    text.push_str(METHOD);
    text.push_str(&contestants(results));
    text.push_str(&void(results));
    text
}

fn setting(results: &Results) -> String {
    let others: Vec<f64> = results.samples.iter().map(|sample| sample.others).collect();
    let worst = others.iter().fold(0.0, |worst: f64, share| worst.max(*share));
    format!(
        "\n| | |\n|---|---|\n| commit | {} |\n| date | {} |\n| machine | {} |\n| with | {} |\n\
         | noise | load average {:.1} before and {:.1} at the end; programs that are no part of this used {:.0} % of all cores in the median \
         run, {:.0} % in the worst |\n",
        results.commit,
        results.date,
        results.machine,
        results.versions.join(", "),
        results.load[0],
        results.load[1],
        100.0 * median(&others).unwrap_or_default(),
        100.0 * worst,
    )
}

/// The table of one work.
fn work(results: &Results, cell: Cell) -> String {
    let many = cell == Cell::HUNDRED;
    let paced = matches!(cell.pace, Pace::PerSecond(_));
    let mut head = vec!["", "us/request", "of the receiver's"];
    if many {
        head.extend(["us/event", "broker us/event"]);
    } else {
        head.push("broker us/request");
    }
    head.extend(["requests/s", "p50 ms", "p99 ms", "p99.9 ms"]);
    let head: Vec<String> = head.into_iter().map(str::to_owned).collect();
    let mut text = format!("\n## {}\n\n", capitalised(&cell.to_string()));
    text.push_str(&row(&head));
    text.push_str(&row(&vec!["---".to_owned(); head.len()]));
    for peer in results.peers() {
        if results.of(cell, peer).next().is_none() {
            continue;
        }
        let middle = |figure: fn(&Sample) -> f64| results.middle(cell, peer, figure);
        let mut cells = vec![
            peer.title().to_owned(),
            spread(middle(|sample| sample.cpu)),
            if peer == Peer::Receiver {
                "1".to_owned()
            } else {
                times(results.ratio(cell, peer))
            },
        ];
        if many {
            cells.push(plain(middle(|sample| sample.cpu / 100.0)));
            cells.push(broker(peer, plain(middle(|sample| sample.store / 100.0))));
        } else {
            cells.push(broker(peer, plain(middle(|sample| sample.store))));
        }
        cells.push(plain(middle(|sample| sample.per_second)));
        cells.push(plain(middle(|sample| sample.p50)));
        cells.push(if paced {
            spread(middle(|sample| sample.p99))
        } else {
            plain(middle(|sample| sample.p99))
        });
        cells.push(plain(middle(|sample| sample.p999)));
        text.push_str(&row(&cells));
    }
    for peer in results.peers() {
        text.push_str(&remark(results, cell, peer));
    }
    text
}

/// Redis is no broker; its time stands in the same column, marked.
fn broker(peer: Peer, figure: String) -> String {
    match peer.keeps() {
        Keeps::Nothing => "-".to_owned(),
        Keeps::Stream => figure,
        Keeps::List => format!("{figure} (Redis)"),
    }
}

/// What a table of medians does not show.
fn remark(results: &Results, cell: Cell, peer: Peer) -> String {
    let sum = |of: fn(&Sample) -> u64| results.of(cell, peer).map(of).sum::<u64>();
    let mut text = String::new();
    // Writing to a String cannot fail.
    if sum(|sample| sample.unsent) > 0 {
        let _ = write!(
            text,
            "\n{} could not keep up: {} requests were not sent at all, and the latencies are of those that were.\n",
            capitalised(peer.name()),
            sum(|sample| sample.unsent)
        );
    }
    if sum(|sample| sample.refused) > 0 {
        let _ = write!(
            text,
            "\n{} answered {} good requests with something else than 200.\n",
            capitalised(peer.name()),
            sum(|sample| sample.refused)
        );
    }
    text
}

/// Memory, start and size.
fn at_rest(results: &Results) -> String {
    let mut text = String::from(
        "\n## Memory, start, size\n\nMemory is what is resident, summed over a contestant's processes (pages they share count twice); at most: since it \
         began, with that\nwork at full speed. The first 200 is a signed delivery answered, stored included. Size: the program, or the packages \
         beside a runtime\n(Node, Python) that is not counted.\n\n\
         | | first 200, ms | at rest, MiB | texts: at most | 100 statuses: at most | size, MB |\n|---|---|---|---|---|---|\n",
    );
    for entrant in &results.entrants {
        let middle = |cell, figure: fn(&Sample) -> f64| results.middle(cell, entrant.peer, figure);
        text.push_str(&row(&[
            entrant.peer.title().to_owned(),
            spread(middle(Cell::TEXT, |sample| sample.first_200)),
            plain(middle(Cell::TEXT, |sample| sample.idle)),
            plain(middle(Cell::TEXT, |sample| sample.peak)),
            plain(middle(Cell::HUNDRED, |sample| sample.peak)),
            megabytes(entrant.bytes),
        ]));
    }
    match results.image_bytes {
        Some(bytes) => {
            let _ = writeln!(
                text,
                "\nThe receiver's image (`cargo xtask image`), which holds it, authorities and nothing else, has {} MB.",
                megabytes(bytes)
            );
        }
        None => text.push_str("\nThe receiver's image was not built when this was measured (`cargo xtask image --release` first).\n"),
    }
    text
}

fn contestants(results: &Results) -> String {
    let mut text = String::from("\n## Contestants\n\n| | what it does | made of |\n|---|---|---|\n");
    for entrant in &results.entrants {
        text.push_str(&row(&[
            entrant.peer.title().to_owned(),
            entrant.peer.does().to_owned(),
            entrant.versions.clone(),
        ]));
    }
    text.push_str("\nTheir sources are in [peers](peers); the floors' are in [src/bin](src/bin).\n");
    for (peer, reason) in &results.absent {
        let _ = writeln!(text, "\n**{peer} was not run**: {reason}");
    }
    text
}

fn void(results: &Results) -> String {
    let mut text = String::from("\n## Runs that do not count\n\n");
    if results.void.is_empty() {
        let _ = writeln!(
            text,
            "None. In all {} runs what was stored was exactly what was acknowledged.",
            results.samples.len() + results.growth.len()
        );
        return text;
    }
    for void in &results.void {
        let reason = void.reason.replace('\n', " ");
        let _ = writeln!(
            text,
            "- {}, {}, round {}: {reason}",
            void.peer,
            void.cell,
            void.round + 1
        );
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        format!("{}{}", first.to_uppercase(), characters.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::sample;
    use crate::results::{Entrant, Void};
    use std::collections::BTreeMap;

    fn results() -> Results {
        let entrant = |peer| Entrant {
            peer,
            versions: "flask 3.1.3".to_owned(),
            bytes: 11_600_000,
        };
        Results {
            commit: "0123456789ab".to_owned(),
            load: [0.5, 2.5],
            entrants: vec![entrant(Peer::Receiver), entrant(Peer::Flask)],
            absent: BTreeMap::from([(Peer::Benthos, "there is no `go` on PATH".to_owned())]),
            samples: vec![
                sample(Peer::Receiver, Cell::TEXT, 0, 20.0),
                sample(Peer::Flask, Cell::TEXT, 0, 700.0),
                Sample {
                    unsent: 12,
                    ..sample(Peer::Flask, Cell::STEADY_MIX, 0, 700.0)
                },
            ],
            ..Results::default()
        }
    }

    #[test]
    fn the_page_says_what_was_measured_and_what_was_not() {
        let page = markdown(&results());
        for part in [
            "| commit | 0123456789ab |",
            "load average 0.5 before and 2.5 at the end",
            "| **receiver** | 20.0 [20.0-20.0] | 1 | 20.0 |",
            "| Flask, Redis | 700 [700-700] | 35.0 x [35.0-35.0] | 20.0 (Redis) |",
            "**benthos was not run**: there is no `go` on PATH",
            "Flask could not keep up: 12 requests were not sent at all",
            "| 11.6 |",
            "None. In all 3 runs",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }

    #[test]
    fn a_run_that_does_not_count_is_named() {
        let mut results = results();
        results.void.push(Void {
            peer: Peer::Flask,
            cell: Cell::HUNDRED,
            round: 1,
            reason: "3 acknowledged and not stored".to_owned(),
            broken_promise: true,
        });
        let page = markdown(&results);
        assert!(
            page.contains("- flask, 100 statuses, 32 connections, round 2: 3 acknowledged and not stored"),
            "{page}"
        );
    }
}
