//! Numbers as people read them, by Grafana's units.

/// A number with its unit.
pub(super) fn text(number: f64, unit: &str) -> String {
    match unit {
        "percentunit" => format!("{} %", short(number * 100.0)),
        "s" => seconds(number),
        "bytes" => bytes(number),
        "binBps" => format!("{}/s", bytes(number)),
        "reqps" => format!("{} req/s", short(number)),
        "ops" => format!("{}/s", short(number)),
        _ => short(number),
    }
}

/// Three digits, and nothing that says nothing.
fn short(number: f64) -> String {
    let digits = match number.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 || size == 0.0 => 2,
        _ => 3,
    };
    let text = format!("{number:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn seconds(number: f64) -> String {
    match number.abs() {
        0.0 => "0 s".to_owned(),
        size if size < 0.001 => format!("{} µs", short(number * 1e6)),
        size if size < 1.0 => format!("{} ms", short(number * 1e3)),
        size if size < 120.0 => format!("{} s", short(number)),
        size if size < 7200.0 => format!("{} min", short(number / 60.0)),
        size if size < 172_800.0 => format!("{} h", short(number / 3600.0)),
        _ => format!("{} days", short(number / 86_400.0)),
    }
}

fn bytes(number: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB"];
    let mut size = number;
    let mut unit = units[0];
    for larger in &units[1..] {
        if size.abs() < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, larger);
    }
    format!("{} {unit}", short(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_their_unit() {
        for (number, unit, wanted) in [
            (0.0, "s", "0 s"),
            (0.000_25, "s", "250 µs"),
            (0.25, "s", "250 ms"),
            (15.0, "s", "15 s"),
            (59.99 * 86_400.0, "s", "60 days"),
            (0.9991, "percentunit", "99.9 %"),
            (1.0, "percentunit", "100 %"),
            (16_777_216.0, "bytes", "16 MiB"),
            (1536.0, "binBps", "1.5 KiB/s"),
            (12.34, "reqps", "12.3 req/s"),
            (3.0, "short", "3"),
        ] {
            assert_eq!(text(number, unit), wanted);
        }
    }
}
