//! Holds `docs/config.example.yaml` against the receiver: the example must show every key, and the defaults as they are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use wahook_receiver::config::{Config, parse};

const EXAMPLE: &str = include_str!("../../docs/config.example.yaml");
/// The only list of all keys there is: the declaration the receiver reads files with.
const DECLARATION: &str = include_str!("../../receiver/src/config/file.rs");

fn read(text: &str) -> Config {
    let (config, unknown) = parse(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(unknown, Vec::<String>::new());
    config
}

/// A line `  # key: value`, without its mark.
fn optional(line: &str) -> Option<String> {
    let (indent, rest) = line.split_once("# ")?;
    let key = rest.split_once(": ")?.0;
    let is_key = indent.trim().is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_key && key.starts_with(|first: char| first.is_ascii_lowercase())).then(|| format!("{indent}{rest}"))
}

#[test]
fn the_values_shown_are_the_defaults() {
    assert_eq!(read(EXAMPLE), read(""));
}

#[test]
fn every_optional_line_can_be_taken_as_it_is() {
    let optional: Vec<(usize, String)> = EXAMPLE
        .lines()
        .enumerate()
        .filter_map(|(number, line)| Some((number, optional(line)?)))
        .collect();
    assert!(optional.len() >= 10, "{optional:?}");
    let directory = optional
        .iter()
        .find(|(_, line)| line.starts_with("secretsDir"))
        .unwrap();
    // A login in files needs a secrets directory, and a certificate its key: those lines are tried together.
    for pair in &optional {
        let partner = optional
            .iter()
            .filter(|(_, line)| line.contains("certFile") || line.contains("keyFile"));
        let both = pair.1.contains("certFile") || pair.1.contains("keyFile");
        let taken: Vec<_> = [pair, directory]
            .into_iter()
            .chain(partner.filter(|_| both))
            .collect();
        let text: Vec<&str> = EXAMPLE
            .lines()
            .enumerate()
            .map(|(number, line)| {
                taken
                    .iter()
                    .find(|(at, _)| *at == number)
                    .map_or(line, |(_, without_mark)| without_mark)
            })
            .collect();
        assert_ne!(read(&text.join("\n")), read(""), "{}", pair.1);
    }
}

#[test]
fn every_key_of_the_declaration_is_shown() {
    let declared = DECLARATION
        .split_once("sections! {")
        .unwrap()
        .1
        .split_once("\n}")
        .unwrap()
        .0;
    let fields: Vec<String> = declared
        .split([',', '{', '}', '\n'])
        .filter_map(|part| part.trim().split_once(": "))
        .map(|(field, _)| camel(field.trim()))
        .collect();
    assert!(fields.len() > 50, "{fields:?}");
    for field in fields {
        let shown = EXAMPLE
            .match_indices(&format!("{field}:"))
            .any(|(at, _)| EXAMPLE[..at].ends_with([' ', '\n', '{']));
        assert!(shown, "{field} is not in docs/config.example.yaml");
    }
}

/// `max_age` as the file spells it: `maxAge`.
fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let capital = letters.next().map(|letter| letter.to_ascii_uppercase());
        name + &capital.into_iter().chain(letters).collect::<String>()
    })
}
