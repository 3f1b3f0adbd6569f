//! The tables of docs/troubleshooting.md, so that tests can hold them against what really comes out; and what docs/nats-permissions.md
//! grants, so that tests can do with it.
//!
//! A row's first cell ends with a comment, `<!-- who: key -->`; what stands between backticks in its second cell is a quote.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A symptom of the manual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Who reproduces it: `receiver` or `operator`.
    pub who: String,
    /// Its name.
    pub key: String,
    /// What it says is put out.
    pub quotes: Vec<String>,
}

/// What a reproduction put out.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Answers, log, status pages, conditions.
    pub said: String,
    /// Metrics in the text format.
    pub metrics: String,
}

/// The rows of the page that `who` reproduces.
///
/// # Errors
/// When the page cannot be read.
pub fn troubleshooting(who: &str) -> std::io::Result<Vec<Row>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/troubleshooting.md");
    let rows = rows(&fs::read_to_string(page)?);
    Ok(rows.into_iter().filter(|row| row.who == who).collect())
}

/// The block below a heading of docs/nats-permissions.md: what a user may do, as nats-server reads it.
///
/// # Errors
/// When the page cannot be read, or has no block there.
pub fn permissions(heading: &str) -> std::io::Result<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/nats-permissions.md");
    let page = fs::read_to_string(page)?;
    let block = page
        .split_once(&format!("\n## {heading}\n"))
        .and_then(|(_, section)| section.split("```").nth(1));
    block.map(str::to_owned).ok_or_else(|| {
        std::io::Error::other(format!("docs/nats-permissions.md has no block below `{heading}`"))
    })
}

/// The rows of a page.
pub fn rows(page: &str) -> Vec<Row> {
    page.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut cells = line.strip_prefix('|')?.split('|');
    let (_, comment) = cells.next()?.split_once("<!--")?;
    let (who, key) = comment.split_once("-->")?.0.split_once(':')?;
    let quotes = cells.next()?.split('`').skip(1).step_by(2);
    Some(Row {
        who: who.trim().to_owned(),
        key: key.trim().to_owned(),
        quotes: quotes.map(str::to_owned).collect(),
    })
}

impl Row {
    /// The quotes that were not put out.
    pub fn missing(&self, evidence: &Evidence) -> Vec<String> {
        let quotes = self.quotes.iter();
        quotes.filter(|quote| !evidence.has(quote)).cloned().collect()
    }
}

impl Evidence {
    /// Whether something was said, or a metric has counted.
    fn has(&self, quote: &str) -> bool {
        if !quote.starts_with("whatsapp_webhook_") {
            return self.said.contains(quote);
        }
        let (name, labels) = quote.split_once('{').unwrap_or((quote, "}"));
        let labels = labels.trim_end_matches('}');
        self.metrics.lines().any(|line| {
            let value = line
                .rsplit(' ')
                .next()
                .and_then(|value| value.parse::<f64>().ok());
            line.starts_with(&format!("{name}{{"))
                && labels.split(',').all(|label| line.contains(label.trim()))
                && value.is_some_and(|value| value > 0.0)
        })
    }
}

/// Panics unless these are the keys of the rows, each with a quote.
///
/// # Panics
/// See above: it is for tests.
pub fn assert_reproduced(rows: &[Row], reproduced: &[&str]) {
    let keys: BTreeSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys.len(), rows.len(), "a key is there twice");
    assert_eq!(
        keys,
        reproduced.iter().copied().collect(),
        "rows of docs/troubleshooting.md, and what is reproduced"
    );
    for row in rows {
        assert!(!row.quotes.is_empty(), "{} quotes nothing", row.key);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_are_read_and_held_against_what_was_said() {
        let page = "| what | says |\n|---|---|\n| It fails <!-- receiver: fails --> | `403 No`, `whatsapp_webhook_x_total{reason=\"a\"}` | `other` |\n";
        let rows = rows(page);
        assert_eq!(rows.len(), 1);
        let row = rows.first().unwrap();
        assert_eq!((row.who.as_str(), row.key.as_str()), ("receiver", "fails"));
        assert_eq!(row.quotes.len(), 2);
        let mut evidence = Evidence {
            said: "403 No".to_owned(),
            metrics: "whatsapp_webhook_x_total{reason=\"a\"} 0\nwhatsapp_webhook_x_total{reason=\"b\"} 1\n"
                .to_owned(),
        };
        assert_eq!(
            row.missing(&evidence).len(),
            1,
            "a counter at zero has not counted"
        );
        evidence.metrics = "whatsapp_webhook_x_total{reason=\"a\"} 2\n".to_owned();
        assert!(row.missing(&evidence).is_empty());
        evidence.said.clear();
        assert_eq!(row.missing(&evidence), ["403 No"]);
    }

    #[test]
    fn the_page_has_its_four_tables() {
        let both = ["receiver", "operator"].map(|who| troubleshooting(who).unwrap().len());
        assert!(both.iter().all(|rows| *rows > 8), "{both:?}");
    }
}
