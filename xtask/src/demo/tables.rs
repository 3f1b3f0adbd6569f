//! What the demo shows: two tables and a summary, at most 100 columns wide.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::check::{Row, Totals};
use super::house::Done;
use super::script::Step;

const WIDTH: u16 = 100;

/// What was sent and what came back.
pub(super) fn requests(steps: &[Step], done: &[Done]) -> String {
    let mut table = table(&["#", "what was sent", "answer", "new events", "ms", "why"]);
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
    align_right(&mut table, &[0, 2, 3, 4]);
    table.trim_fmt()
}

/// What the stream holds.
pub(super) fn stored(rows: &[Row]) -> String {
    let mut table = table(&[
        "seq",
        "family",
        "type",
        "account",
        "lane",
        "id (Nats-Msg-Id)",
        "bytes",
    ]);
    for row in rows {
        table.add_row(vec![
            row.seq.to_string(),
            shortened(&row.family, 20),
            shortened(&row.kind, 20),
            shortened(&row.account, 16),
            row.lane.clone(),
            row.id.clone(),
            row.payload.len().to_string(),
        ]);
    }
    align_right(&mut table, &[0, 6]);
    table.trim_fmt()
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
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(header.to_vec());
    table
}

fn align_right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
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
    use super::*;

    #[test]
    fn a_long_name_does_not_break_the_table() {
        let row = Row {
            seq: 1_234_567,
            family: "message_template_components_update".to_owned(),
            kind: "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE".to_owned(),
            account: "106540352242922".to_owned(),
            lane: "a".to_owned(),
            id: "A".repeat(24),
            payload: vec![0; 1_000_000],
        };
        let text = stored(&[row]);
        assert_eq!(text.lines().count(), 5, "{text}");
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(usize::from(WIDTH)), "{text}");
    }
}
