//! Lengths of time and sizes in their shortest spelling: one amount is always the same text, however a
//! resource spells it.

use std::time::Duration;

/// A length of time as configuration files and Prometheus read it.
pub(crate) fn duration(value: Duration) -> String {
    match value.as_millis() {
        0 => "0s".to_owned(),
        millis if millis % 3_600_000 == 0 => format!("{}h", millis / 3_600_000),
        millis if millis % 60_000 == 0 => format!("{}m", millis / 60_000),
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    }
}

/// A number of bytes.
pub(crate) fn size(bytes: i64) -> String {
    [
        (1_i64 << 40, "Ti"),
        (1 << 30, "Gi"),
        (1 << 20, "Mi"),
        (1 << 10, "Ki"),
    ]
    .into_iter()
    .find(|(unit, _)| bytes > 0 && bytes % unit == 0)
    .map_or_else(
        || bytes.to_string(),
        |(unit, suffix)| format!("{}{suffix}", bytes / unit),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_amount_has_one_spelling() {
        for (text, shown) in [
            ("1440m", "24h"),
            ("1h30m", "90m"),
            ("1500ms", "1500ms"),
            ("60s", "1m"),
        ] {
            let value = wahook_crds::Duration::from(text).to_std().unwrap();
            assert_eq!(duration(value), shown);
        }
        for (bytes, shown) in [
            (3 << 20, "3Mi"),
            (1 << 50, "1024Ti"),
            (1 << 31, "2Gi"),
            (1000, "1000"),
            (0, "0"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }
}
