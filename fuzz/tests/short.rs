//! Every target for a moment, on every run of the tests. `cargo xtask fuzz` takes longer and is guided by coverage.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wahook_fuzz::Target;
use wahook_fuzz::mutate::Mutator;

/// For each target.
const MOMENT: Duration = Duration::from_secs(3);
/// Fewer would prove little, however slow the machine.
const FEWEST: usize = 200;

fn crashes(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/crashes")
        .join(target.name)
}

/// Runs one input, and keeps it where it fails.
fn try_input(target: &Target, input: &[u8], what: &str) {
    if catch_unwind(AssertUnwindSafe(|| target.run(input))).is_err() {
        let file = crashes(target).join("new");
        fs::create_dir_all(crashes(target)).unwrap();
        fs::write(&file, input).unwrap();
        panic!(
            "{}: {what} failed. It is in {}: rename it after what it is, and it stays a test",
            target.name,
            file.display()
        );
    }
}

fn fuzz(name: &str) {
    let target = Target::named(name).unwrap();
    for file in fs::read_dir(crashes(&target)).into_iter().flatten() {
        let path = file.unwrap().path();
        try_input(&target, &fs::read(&path).unwrap(), &path.display().to_string());
    }
    let seeds = target.seeds();
    for (place, seed) in seeds.iter().enumerate() {
        try_input(&target, seed, &format!("seed {place}"));
    }
    // Another one each time: the tests of a year add up.
    let number = rand::random();
    let mut mutator = Mutator::new(&seeds, number);
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < MOMENT || count < FEWEST {
        let input = mutator.next_input();
        try_input(&target, &input, &format!("input {count} of the number {number}"));
        count += 1;
    }
    eprintln!("{name}: {count} inputs of the number {number}");
}

macro_rules! targets {
    ($($name:ident)+) => {
        $(#[test] fn $name() { fuzz(stringify!($name)); })+

        #[test]
        fn every_target_is_here() {
            let names: Vec<_> = Target::ALL.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),+]);
        }
    };
}

targets!(signature handshake envelope families subjects received config secrets definition);
