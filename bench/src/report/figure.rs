//! Numbers as the report writes them.

use crate::results::Middle;

/// Three figures that count, with thousands apart: `0.523`, `18.2`, `706`, `12 264`.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let mut shown = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && whole.len() > 4 && (whole.len() - place) % 3 == 0 {
            shown.push(' ');
        }
        shown.push(digit);
    }
    if rest.is_empty() {
        shown
    } else {
        format!("{shown}.{rest}")
    }
}

/// A median with the smallest and the largest value behind it.
pub(super) fn spread(middle: Option<Middle>) -> String {
    middle.map_or_else(
        || "-".to_owned(),
        |middle| {
            format!(
                "{} [{}-{}]",
                number(middle.median),
                number(middle.low),
                number(middle.high)
            )
        },
    )
}

/// A median alone.
pub(super) fn plain(middle: Option<Middle>) -> String {
    middle.map_or_else(|| "-".to_owned(), |middle| number(middle.median))
}

/// How many times as much as the receiver's.
pub(super) fn times(middle: Option<Middle>) -> String {
    middle.map_or_else(
        || "-".to_owned(),
        |middle| {
            format!(
                "{} x [{}-{}]",
                number(1.0 / middle.median),
                number(1.0 / middle.high),
                number(1.0 / middle.low)
            )
        },
    )
}

/// Bytes in MB.
#[allow(clippy::cast_precision_loss, reason = "sizes of programs")]
pub(super) fn megabytes(bytes: u64) -> String {
    number(bytes as f64 / 1e6)
}

/// A row of a table.
pub(super) fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_that_count() {
        for (value, shown) in [
            (0.5234, "0.523"),
            (1.5, "1.50"),
            (18.24, "18.2"),
            (706.4, "706"),
            (2264.0, "2264"),
            (12_264.3, "12 264"),
            (1_234_567.0, "1 234 567"),
            (0.0, "0.000"),
        ] {
            assert_eq!(number(value), shown);
        }
    }

    #[test]
    fn a_ratio_is_turned_round_with_its_ends() {
        let middle = Middle {
            median: 0.5,
            low: 0.25,
            high: 1.0,
        };
        assert_eq!(times(Some(middle)), "2.00 x [1.00-4.00]");
        assert_eq!(spread(None), "-");
    }
}
