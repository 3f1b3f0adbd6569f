//! Subject tokens: the characters NATS may see, and the lane that keeps one customer's events in order.

use std::borrow::Cow;

/// The longest token that text from outside may become, in characters. Longer text is cut: a subject is an address, the
/// whole value is in the data.
pub const MAX_TOKEN: usize = 64;

/// What stands where Meta sent no value for a token.
pub const ABSENT: &str = "_";

/// Makes one subject token of `text`: every character outside `[A-Za-z0-9_-]` becomes `_`, at most [`MAX_TOKEN`]
/// characters, never empty. Borrowed when nothing had to change.
pub fn token(text: &str) -> Cow<'_, str> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if text.is_empty() {
        Cow::Borrowed(ABSENT)
    } else if text.len() <= MAX_TOKEN && text.bytes().all(legal) {
        Cow::Borrowed(text)
    } else {
        let clean = |c: char| if c.is_ascii() && legal(c as u8) { c } else { '_' };
        Cow::Owned(text.chars().take(MAX_TOKEN).map(clean).collect())
    }
}

/// One of sixteen lanes, shown as a hex digit. All events of one customer (or group) of one account share a lane, so that
/// sixteen consumers can each keep order without knowing each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lane(u8);

impl Lane {
    /// The lane of a customer or group of an account; events without a customer go by their account.
    ///
    /// FNV-1a, 64 bits, folded to four: part of the event contract, so it never changes.
    pub fn of(account: &str, customer: Option<&str>) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let separated = account
            .bytes()
            .chain([0])
            .chain(customer.unwrap_or_default().bytes());
        for byte in separated {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut folded = hash ^ (hash >> 32);
        folded ^= folded >> 16;
        folded ^= folded >> 8;
        folded ^= folded >> 4;
        Self((folded & 0xf) as u8)
    }

    /// The lane as its subject token, `0` to `f`.
    pub fn as_char(self) -> char {
        char::from_digit(u32::from(self.0), 16).unwrap_or('0')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_carry_only_legal_characters() {
        assert_eq!(token("text-1_A"), "text-1_A");
        assert_eq!(token(""), "_");
        assert_eq!(token("a.b*c>d e\r\n\u{e9}"), "a_b_c_d_e___");
        assert_eq!(token(&"x".repeat(500)).len(), MAX_TOKEN);
    }

    #[test]
    fn lanes_are_spread_and_stable() {
        let mut seen = [0_u32; 16];
        for customer in 0..16_000 {
            let lane = Lane::of("1055501", Some(&format!("1555010{customer:05}")));
            seen[lane.0 as usize] += 1;
        }
        assert!(seen.iter().all(|n| (700..1300).contains(n)), "{seen:?}");
        assert_eq!(Lane::of("a", None), Lane::of("a", None));
        assert_eq!(Lane::of("106540352242922", Some("15550100001")).as_char(), '9');
    }
}
