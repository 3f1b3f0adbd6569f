//! Amounts of CPU and memory in the spelling the API server stores, which rewrites `0.5` to `500m`: what is
//! applied and what is stored then compare as texts.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// An amount. The smallest that Kubernetes knows is a billionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    billionths: i128,
}

/// How an amount was spelled, which the API server keeps where it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// `500m`, `2k`
    Decimal,
    /// `1e3`
    Exponent,
    /// `64Mi`
    Binary,
}

const ONE: i128 = 1_000_000_000;
/// Kubernetes' suffixes and the power of ten each stands for.
const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
/// The power of 1024 each stands for is its place, from 1 on.
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Amount {
    /// Reads a quantity as Kubernetes does. `None` when it is none, or more than 64 bits hold.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(|(amount, _)| amount)
    }

    /// Whether it is more than nothing.
    pub fn is_positive(&self) -> bool {
        self.billionths > 0
    }
}

/// A quantity in the spelling the API server stores. One that cannot be read stays as it is.
pub fn canonical(quantity: &Quantity) -> Quantity {
    Quantity(parse(&quantity.0).map_or_else(
        || quantity.0.clone(),
        |(amount, family)| show(amount.billionths, family),
    ))
}

fn parse(text: &str) -> Option<(Amount, Family)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let (family, multiplied, tens) = if let Some(power) = BINARY.iter().position(|known| *known == suffix) {
        let factor = 1024_i128.pow(u32::try_from(power).ok()? + 1);
        (Family::Binary, digits.checked_mul(factor)?, 0)
    } else if let Some((_, tens)) = DECIMAL.iter().find(|(known, _)| *known == suffix) {
        (Family::Decimal, digits, *tens)
    } else {
        let exponent = suffix.strip_prefix(['e', 'E'])?;
        let tens: i32 = exponent.parse().ok()?;
        (Family::Exponent, digits, tens)
    };
    let mut billionths = shift(multiplied, tens.checked_add(9)?.checked_sub(places)?)?;
    if billionths > i128::from(i64::MAX) * ONE {
        return None;
    }
    if text.starts_with('-') {
        billionths = -billionths;
    }
    Some((Amount { billionths }, family))
}

/// Times a power of ten. What does not come out even is rounded up, so that something never becomes nothing.
fn shift(value: i128, tens: i32) -> Option<i128> {
    let factor = 10_i128.checked_pow(tens.unsigned_abs());
    if tens >= 0 {
        return if value == 0 {
            Some(0)
        } else {
            value.checked_mul(factor?)
        };
    }
    Some(match factor {
        Some(factor) => value / factor + i128::from(value % factor != 0),
        None => i128::from(value != 0),
    })
}

fn show(billionths: i128, family: Family) -> String {
    let is_binary = family == Family::Binary && billionths.abs() >= 1024 * ONE && billionths % ONE == 0;
    if is_binary {
        let (mut value, mut suffix) = (billionths / ONE, "");
        for next in BINARY {
            if value % 1024 != 0 {
                break;
            }
            (value, suffix) = (value / 1024, next);
        }
        return format!("{value}{suffix}");
    }
    let (mut value, mut tens) = (billionths, -9);
    while value != 0 && value % 1000 == 0 {
        (value, tens) = (value / 1000, tens + 3);
    }
    if value == 0 || tens == 0 {
        return value.to_string();
    }
    match DECIMAL.iter().find(|(_, known)| *known == tens) {
        Some((suffix, _)) if family != Family::Exponent => format!("{value}{suffix}"),
        _ => format!("{value}e{tens}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What a real API server answered to each of these.
    #[test]
    fn the_spelling_the_api_server_stores() {
        for (written, stored) in [
            ("0.5", "500m"),
            ("1", "1"),
            ("1000m", "1"),
            ("100m", "100m"),
            ("1.5", "1500m"),
            ("2000", "2k"),
            ("1500", "1500"),
            ("1e3", "1e3"),
            ("1E3", "1e3"),
            ("0.1e3", "100"),
            ("64Mi", "64Mi"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("1048576", "1048576"),
            ("1000Ki", "1000Ki"),
            ("0.1Gi", "107374182400m"),
            ("128M", "128M"),
            ("1000M", "1G"),
            (".5", "500m"),
            ("5.", "5"),
            ("+2", "2"),
            ("0", "0"),
            ("0Mi", "0"),
            ("0.0000000001", "1n"),
            ("-0.5", "-500m"),
        ] {
            assert_eq!(canonical(&Quantity(written.into())).0, stored, "{written}");
        }
    }

    #[test]
    fn what_is_no_quantity_stays() {
        for text in [
            "",
            ".",
            "lots",
            "1.2.3",
            "5 Mi",
            "1K",
            "Mi",
            "1ee3",
            "1e",
            "9999999999999999999",
        ] {
            assert_eq!(Amount::parse(text), None, "{text}");
            assert_eq!(canonical(&Quantity(text.into())).0, text);
        }
    }

    #[test]
    fn amounts_compare_by_value() {
        let amount = |text| Amount::parse(text).unwrap();
        assert_eq!(amount("1Gi"), amount("1024Mi"));
        assert!(amount("1G") < amount("1Gi"));
        assert!(amount("500m") < amount("1"));
        assert!(amount("1n").is_positive() && !amount("0").is_positive() && !amount("-1").is_positive());
    }
}
