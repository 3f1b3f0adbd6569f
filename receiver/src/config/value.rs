//! Reads single values: text in, a checked value or a [`Fault`] out. No setting names, no I/O.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use wahook_telemetry::trace::{Endpoint, SampleRatio};

use super::error::Fault;

/// One KiB, in bytes.
pub(super) const KIB: u64 = 1024;
/// One MiB, in bytes.
pub(super) const MIB: u64 = 1024 * KIB;
/// One GiB, in bytes.
pub(super) const GIB: u64 = 1024 * MIB;

/// Longer values are not repeated in a message: what is long may be a secret in the wrong place.
const LONGEST_SHOWN: usize = 15;

/// The value as a message may show it.
fn shown(text: &str) -> String {
    match text.chars().count() {
        0 => "an empty value".to_owned(),
        count if count > LONGEST_SHOWN => format!("a value of {count} characters"),
        _ => format!("{text:?}"),
    }
}

fn is(text: &str, problem: impl Display, fix: impl Into<String>) -> Fault {
    Fault::new(format!("{} {problem}", shown(text)), fix)
}

/// A length of time with a unit: `250ms`, `10s`, `24h`, `7d`, `1h 30m`. A day has 24 hours.
pub(super) fn duration(range: RangeInclusive<Duration>) -> impl Fn(&str) -> Result<Duration, Fault> {
    move |text| {
        let fix = || {
            format!(
                "Use {} to {}, for example 10s",
                show_duration(*range.start()),
                show_duration(*range.end())
            )
        };
        let span: Span = text
            .parse()
            .map_err(|_| is(text, "is not a length of time with a unit", fix()))?;
        let value = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| is(text, "is not made of days and smaller units", fix()))
            .map(SignedDuration::unsigned_abs)?;
        if span.is_negative() || !range.contains(&value) {
            return Err(is(text, "is out of range", fix()));
        }
        Ok(value)
    }
}

/// A length of time as the configuration file spells it.
pub(super) fn show_duration(value: Duration) -> String {
    match value.as_millis() {
        0 => "0s".to_owned(),
        millis if millis % 3_600_000 == 0 => format!("{}h", millis / 3_600_000),
        millis if millis % 60_000 == 0 => format!("{}m", millis / 60_000),
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    }
}

/// A size: bytes, or a number with a suffix of Kubernetes quantities (`Ki`, `Mi`, `Gi`, `Ti`).
pub(super) fn size<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T, Fault> {
    move |text| {
        let fix = || {
            format!(
                "Use {} to {}, for example 3Mi",
                show_size(*range.start()),
                show_size(*range.end())
            )
        };
        let (digits, unit) = [("Ki", KIB), ("Mi", MIB), ("Gi", GIB), ("Ti", 1024 * GIB)]
            .into_iter()
            .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))
            .unwrap_or((text, 1));
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(is(
                text,
                "is not a number of bytes, nor one with Ki, Mi or Gi",
                fix(),
            ));
        }
        digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(unit))
            .filter(|bytes| range.contains(bytes))
            .and_then(|bytes| T::try_from(bytes).ok())
            .ok_or_else(|| is(text, "is out of range", fix()))
    }
}

/// A size as the configuration file spells it.
pub(super) fn show_size(bytes: u64) -> String {
    [(GIB, "Gi"), (MIB, "Mi"), (KIB, "Ki")]
        .into_iter()
        .find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit))
        .map_or_else(
            || bytes.to_string(),
            |(unit, suffix)| format!("{}{suffix}", bytes / unit),
        )
}

/// A whole number.
pub(super) fn number<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T, Fault> {
    move |text| {
        let fix = || format!("Use {} to {}", range.start(), range.end());
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(is(text, "is not a whole number", fix()));
        }
        text.parse::<u64>()
            .ok()
            .filter(|value| range.contains(value))
            .and_then(|value| T::try_from(value).ok())
            .ok_or_else(|| is(text, "is out of range", fix()))
    }
}

/// `true` or `false`.
pub(super) fn boolean(text: &str) -> Result<bool, Fault> {
    text.parse()
        .map_err(|_| is(text, "is neither true nor false", "Write true or false"))
}

/// One of a few words.
pub(super) fn choice<T: Copy>(options: &'static [(&'static str, T)]) -> impl Fn(&str) -> Result<T, Fault> {
    move |text| {
        options
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let words: Vec<&str> = options.iter().map(|(word, _)| *word).collect();
                is(
                    text,
                    "is not one of the choices",
                    format!("Use one of: {}", words.join(", ")),
                )
            })
    }
}

/// A name made of letters, digits, `_` and `-`: safe as a token of a NATS subject and as the name of a
/// stream.
pub(super) fn name(longest: usize) -> impl Fn(&str) -> Result<String, Fault> {
    move |text| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=longest).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(text.to_owned())
        } else {
            Err(is(
                text,
                "is not a valid name",
                format!("Use 1 to {longest} of the characters A-Z a-z 0-9 _ -"),
            ))
        }
    }
}

/// The prefix of reply subjects: names joined by dots, no wildcards. The operator's is one name made of a namespace and
/// a webhook, each of which may have 40 characters.
pub(super) fn inbox_prefix(text: &str) -> Result<String, Fault> {
    let part = name(100);
    if text.len() <= 255 && text.split('.').all(|token| part(token).is_ok()) {
        Ok(text.to_owned())
    } else {
        Err(is(
            text,
            "is not a valid subject prefix",
            "Use names joined by dots, such as _INBOX or _INBOX_shop",
        ))
    }
}

/// An absolute URL path made of unreserved characters (RFC 3986, section 2.3), so that no proxy spells it
/// differently.
pub(super) fn url_path(text: &str) -> Result<String, Fault> {
    const FIX: &str = "Use a path such as /webhook: a slash, then A-Z a-z 0-9 - . _ ~ between single slashes";
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let segment = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(unreserved);
    match text.strip_prefix('/') {
        None => Err(is(text, "does not start with a slash", FIX)),
        Some("health") => Err(Fault::new(
            "is /health, which answers health checks",
            "Use another path, such as /webhook",
        )),
        Some("") => Ok(text.to_owned()),
        Some(rest) if text.len() <= 255 && rest.split('/').all(segment) => Ok(text.to_owned()),
        Some(_) => Err(is(text, "is not a plain URL path", FIX)),
    }
}

/// An address to listen on: `0.0.0.0:3000`, `[::]:3000`.
pub(super) fn socket_addr(text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_| {
        is(
            text,
            "is not an IP address and port",
            "Write it as 0.0.0.0:3000 or [::]:3000",
        )
    })
}

/// A network: `10.0.0.0/8`, or a single address.
pub(super) fn network(text: &str) -> Result<IpNet, Fault> {
    text.parse::<IpNet>()
        .map(|network| network.trunc())
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| {
            is(
                text,
                "is neither a network nor an IP address",
                "Write it as 10.0.0.0/8 or 10.1.2.3",
            )
        })
}

/// The id Meta gives a business phone number: digits only (Meta, Webhooks reference:
/// `metadata.phone_number_id`).
pub(super) fn phone_number_id(text: &str) -> Result<String, Fault> {
    if (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        // Not shown: a phone number in the wrong place is personal data.
        Err(Fault::new(
            "is not a phone number id",
            "Copy the digits of \"Phone number ID\" from WhatsApp Manager, not the phone number itself",
        ))
    }
}

/// A path of the file system.
pub(super) fn file_path(text: &str) -> Result<std::path::PathBuf, Fault> {
    if text.is_empty() || text.contains('\0') {
        return Err(Fault::new(
            "is not a path",
            "Write an absolute path, or leave the setting out",
        ));
    }
    Ok(text.into())
}

/// The address of a collector of traces. What is no such address may be a login, and is not repeated.
pub(super) fn collector(text: &str) -> Result<Endpoint, Fault> {
    text.parse().map_err(|_| {
        Fault::new(
            "is not the address of a collector",
            "Use a URL such as http://collector.observability:4318, without user, query and /v1/traces",
        )
    })
}

/// A share of traces.
pub(super) fn sample_ratio(text: &str) -> Result<SampleRatio, Fault> {
    text.parse().map_err(|_| {
        is(
            text,
            "is not a share",
            "Use a number from 0 to 1 with at most six decimals, for example 0.1",
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lengths_of_time() {
        let parse = duration(Duration::ZERO..=Duration::from_secs(30 * 86400));
        for (text, seconds) in [
            ("10s", 10.0),
            ("24h", 86400.0),
            ("250ms", 0.25),
            ("7d", 604_800.0),
            ("1h 30m", 5400.0),
        ] {
            assert!(
                (parse(text).unwrap().as_secs_f64() - seconds).abs() < 1e-9,
                "{text}"
            );
        }
        for text in ["", "10", "-5s", "1mo", "1y", "31d", "soon", "10 bananas"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        let parse = size::<u64>(1..=4 * GIB);
        for (text, bytes) in [("1", 1), ("3Mi", 3 * MIB), ("64Ki", 64 * KIB), ("2Gi", 2 * GIB)] {
            assert_eq!(parse(text).unwrap(), bytes);
        }
        for text in [
            "",
            "0",
            "-1",
            "Mi",
            "3M",
            "3 Mi",
            "1.5Mi",
            "5Gi",
            "99999999999999999999",
            "18014398509481984Ki",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(size::<u8>(0..=1000)("256").is_err());
    }

    #[test]
    fn shown_values_read_back() {
        let parse = duration(Duration::ZERO..=Duration::MAX);
        for millis in [0, 100, 1000, 90_000, 120_000, 3_600_000, 608_400_000] {
            let value = Duration::from_millis(millis);
            assert_eq!(parse(&show_duration(value)).unwrap(), value);
        }
        for bytes in [1, 1023, KIB, 3 * MIB, 2 * GIB, 2 * GIB + 1] {
            assert_eq!(size::<u64>(0..=u64::MAX)(&show_size(bytes)).unwrap(), bytes);
        }
    }

    #[test]
    fn paths_and_networks() {
        for good in ["/", "/webhook", "/a/b-c_d.e~f"] {
            assert_eq!(url_path(good).unwrap(), good);
        }
        for bad in [
            "", "webhook", "/health", "//", "/a/", "/a//b", "/../x", "/a b", "/%61", "/ä", "/a?b",
        ] {
            assert!(url_path(bad).is_err(), "{bad}");
        }
        assert_eq!(network("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(network("10.1.2.3").unwrap().to_string(), "10.1.2.3/32");
        assert_eq!(network("2001:db8::1").unwrap().to_string(), "2001:db8::1/128");
    }
}
