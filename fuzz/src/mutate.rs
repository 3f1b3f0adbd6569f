//! Seeds changed at random. Knows nothing of what they mean but the words that readers of JSON, YAML and HTTP trip over.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng, SeedableRng};

/// The longest input that is made, in bytes.
const LONGEST: usize = 64 * 1024;

/// Put in at random places.
const WORDS: [&[u8]; 38] = [
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"[[[[[[[[",
    b"{\"a\":",
    b"\"\"",
    b"\"\\u0000\"",
    b"\\ud800",
    b"\\u",
    b"-0",
    b"1e400",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"0.1",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\0",
    b"\n",
    b"\r\n",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"*",
    b">",
    b".",
    b" ",
    b"%00",
    b"%",
    b"&",
    b"=",
    b"sha256=",
    b"hub.mode=subscribe&",
    b"&anchor ",
    b"*anchor",
    b"\"from\":",
];

/// Makes inputs without end, the same ones for the same number.
pub struct Mutator<'a> {
    random: StdRng,
    seeds: &'a [Vec<u8>],
}

impl<'a> Mutator<'a> {
    /// Starts from these seeds.
    pub fn new(seeds: &'a [Vec<u8>], number: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(number),
            seeds,
        }
    }

    /// The next input: a seed after a few changes.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.seeds.choose(&mut self.random).cloned().unwrap_or_default();
        for _ in 0..self.random.random_range(1..=6) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let random = &mut self.random;
        let from = random.random_range(0..=input.len());
        let most = (input.len() - from).min(64);
        let to = from + random.random_range(0..=most);
        match random.random_range(0..8) {
            0 => {
                if let Some(byte) = input.get_mut(from) {
                    *byte ^= 1 << random.random_range(0..8);
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(from) {
                    *byte = random.random();
                }
            }
            2 => drop(input.drain(from..to)),
            3 => {
                let piece = input[from..to].to_vec();
                let at = random.random_range(0..=input.len());
                input.splice(at..at, piece);
            }
            4 => {
                let word = WORDS.choose(random).copied().unwrap_or_default();
                input.splice(from..to, word.iter().copied());
            }
            5 => {
                let word = WORDS.choose(random).copied().unwrap_or_default();
                input.splice(from..from, word.iter().copied());
            }
            6 => {
                let other = self.seeds.choose(random).map_or(&[][..], Vec::as_slice);
                let start = random.random_range(0..=other.len());
                let end = random.random_range(start..=other.len());
                input.splice(from..to, other[start..end].iter().copied());
            }
            _ => input.truncate(from),
        }
    }
}
