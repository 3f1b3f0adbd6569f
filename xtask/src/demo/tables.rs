//! What the demo shows: two tables and a summary, each request and event on one line, at most 100 columns wide.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};

use super::check::{Row, Totals};
use super::house::Done;
use super::script::Step;

/// What was sent and what came back.
pub(super) fn requests(steps: &[Step], done: &[Done]) -> String {
    let mut table = table(&["#", "what was sent", "answer", "new", "ms", "why"]);
    for (number, (step, done)) in (1..).zip(steps.iter().zip(done)) {
        table.add_row(vec![
            number.to_string(),
            step.what.to_owned(),
            done.status.to_string(),
            done.new.to_string(),
            format!("{:.1}", done.took.as_secs_f64() * 1000.0),
            step.why.to_owned(),
        ]);
    }
    lay_out(&mut table, &[0, 2, 3, 4]);
    table.to_string()
}

/// What the stream holds.
pub(super) fn stored(rows: &[Row]) -> String {
    let mut table = table(&["seq", "family", "type", "account", "lane", "id", "bytes"]);
    for row in rows {
        table.add_row(vec![
            row.seq.to_string(),
            shortened(&row.family, 18),
            shortened(&row.kind, 17),
            shortened(&row.account, 15),
            row.lane.clone(),
            row.id.clone(),
            row.payload.len().to_string(),
        ]);
    }
    lay_out(&mut table, &[0, 6]);
    table.to_string()
}

/// One line on each promise that was checked.
pub(super) fn summary(steps: &[Step], totals: Totals) -> String {
    let answered = |status: u16| steps.iter().filter(|step| step.status == status).count();
    format!(
        "{} requests: {} answered 200, {} answered 401, {} answered 403.\n\
         {} events stored, each once and with Meta's bytes unchanged; {} repeats left out; {} unsigned bodies refused.\n\
         The receiver's own metrics say the same.",
        steps.len(),
        answered(200),
        answered(401),
        answered(403),
        totals.stored,
        totals.duplicates,
        totals.signature_failures,
    )
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(header.to_vec());
    table
}

/// Numbers to the right, and narrow gaps: the rest of the width belongs to the names.
fn lay_out(table: &mut Table, numbers: &[usize]) {
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((u16::from(place == 0), 1));
    }
    for number in numbers {
        if let Some(column) = table.column_mut(*number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Keeps every event on one line of the table.
fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let head: String = text.chars().take(longest - 1).collect();
    head + "…"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::time::Duration;

    use super::super::script;
    use super::*;

    #[test]
    fn every_step_fits_on_its_line() {
        let steps = script::steps().unwrap();
        let done = |step: &Step| Done {
            status: step.status,
            says: String::new(),
            new: 99,
            took: Duration::from_micros(12_300),
        };
        let text = requests(&steps, &steps.iter().map(done).collect::<Vec<_>>());
        assert_eq!(text.lines().count(), steps.len() + 4, "{text}");
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{text}");
    }

    #[test]
    fn a_long_name_does_not_break_the_table() {
        let row = Row {
            seq: 123,
            family: "message_template_components_update".to_owned(),
            kind: "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE".to_owned(),
            account: "106540352242922".to_owned(),
            lane: "a".to_owned(),
            id: "A".repeat(22),
            payload: vec![0; 99_999],
        };
        let text = stored(&[row]);
        assert_eq!(text.lines().count(), 5, "{text}");
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{text}");
    }
}
