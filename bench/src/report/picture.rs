//! The picture: processor time for a request, every contestant a bar. Lengths are logarithmic, since they are hundredfold apart.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels of a picture that is a thousand wide"
)]

use std::fmt::Write as _;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::figure::number;
use crate::peer::Peer;
use crate::results::{Cell, Results};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

const WIDTH: i32 = 960;
const BAR: i32 = 26;
const HEAD: i32 = 62;
const PANEL_HEAD: i32 = 34;
/// Where bars begin, and where the longest ends.
const LEFT: i32 = 150;
const RIGHT: i32 = 760;

const INK: RGBColor = RGBColor(0x24, 0x29, 0x2e);
const FAINT: RGBColor = RGBColor(0x6a, 0x73, 0x7d);
const OURS: RGBColor = RGBColor(0x1f, 0x88, 0x3d);
const FLOOR: RGBColor = RGBColor(0xb6, 0xbf, 0xc9);
const OTHERS: RGBColor = RGBColor(0x54, 0x7a, 0xa8);

/// The works that are shown.
const SHOWN: [Cell; 3] = [Cell::TEXT, Cell::HUNDRED, Cell::STEADY];

/// The picture as SVG.
///
/// # Errors
/// The drawing library's.
pub fn picture(results: &Results) -> Result<String, Failure> {
    let panels: Vec<(Cell, Vec<(Peer, f64)>)> = SHOWN
        .into_iter()
        .map(|cell| (cell, bars(results, cell)))
        .filter(|(_, bars)| !bars.is_empty())
        .collect();
    let height: i32 = HEAD + panels.iter().map(|(_, bars)| tall(bars)).sum::<i32>();
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH as u32, height as u32)).into_drawing_area();
        root.fill(&WHITE)?;
        note(
            &root,
            "Processor time for a request, in microseconds",
            (20, 14),
            20,
            INK,
        )?;
        let caption = "Median of all rounds, logarithmic. In brackets: how many times the receiver's, of the same round.";
        note(&root, caption, (20, 40), 13, FAINT)?;
        let mut top = HEAD;
        for (cell, bars) in &panels {
            panel(&root, results, *cell, bars, top)?;
            top += tall(bars);
        }
        root.present()?;
    }
    Ok(text)
}

fn tall(bars: &[(Peer, f64)]) -> i32 {
    PANEL_HEAD + BAR * i32::try_from(bars.len()).unwrap_or_default() + 14
}

fn bars(results: &Results, cell: Cell) -> Vec<(Peer, f64)> {
    let of = |peer| Some((peer, results.middle(cell, peer, |sample| sample.cpu)?.median));
    results.peers().into_iter().filter_map(of).collect()
}

fn panel(
    root: &Area<'_>,
    results: &Results,
    cell: Cell,
    bars: &[(Peer, f64)],
    top: i32,
) -> Result<(), Failure> {
    note(root, &cell.to_string(), (20, top + 10), 15, INK)?;
    let largest = bars.iter().fold(1.0, |largest: f64, (_, cpu)| largest.max(*cpu));
    // The shortest bar shall be seen too.
    let smallest = bars
        .iter()
        .fold(largest, |smallest: f64, (_, cpu)| smallest.min(*cpu))
        / 2.0;
    for (place, (peer, cpu)) in (0..).zip(bars) {
        let y = top + PANEL_HEAD + place * BAR;
        let share = (cpu / smallest).ln() / (largest / smallest).ln().max(f64::EPSILON);
        let end = LEFT + (share * f64::from(RIGHT - LEFT)) as i32;
        let colour = match peer {
            Peer::Receiver => OURS,
            Peer::FloorEcho | Peer::FloorPublish => FLOOR,
            _ => OTHERS,
        };
        root.draw(&Rectangle::new(
            [(LEFT, y + 3), (end, y + BAR - 5)],
            colour.filled(),
        ))?;
        note(root, peer.title().trim_matches('*'), (20, y + 6), 13, INK)?;
        let mut label = number(*cpu);
        if *peer != Peer::Receiver
            && let Some(ratio) = results.ratio(cell, *peer)
        {
            // Writing to a String cannot fail.
            let _ = write!(label, "  ({} x)", number(1.0 / ratio.median));
        }
        note(root, &label, (end + 8, y + 6), 13, INK)?;
    }
    Ok(())
}

fn note(area: &Area<'_>, text: &str, at: (i32, i32), size: i32, colour: RGBColor) -> Result<(), Failure> {
    let style = ("sans-serif", size).into_font().color(&colour);
    area.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Entrant;
    use crate::results::tests::sample;

    #[test]
    fn every_contestant_is_a_bar() {
        let entrant = |peer| Entrant {
            peer,
            versions: String::new(),
            bytes: 0,
        };
        let results = Results {
            entrants: vec![entrant(Peer::Receiver), entrant(Peer::Flask)],
            samples: vec![
                sample(Peer::Receiver, Cell::TEXT, 0, 20.0),
                sample(Peer::Flask, Cell::TEXT, 0, 706.0),
            ],
            ..Results::default()
        };
        let svg = picture(&results).unwrap();
        for part in ["one text message", "receiver", "Flask", "706", "(35.3 x)"] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(!svg.contains("statuses"), "what was not measured is left out");
    }
}
