//! `docs/develop.md`, followed to the letter: its commands in as many terminals as it says, and each line that it promises.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const MANUAL: &str = include_str!("../../docs/develop.md");
/// How long a line may take that the manual promises. Everything is built already: whoever runs the tests has done that.
const LIMIT: Duration = Duration::from_secs(180);
/// How long a terminal may take to stop after Ctrl-C.
const STOP: Duration = Duration::from_secs(30);

/// A piece of the manual.
#[derive(Debug, PartialEq)]
enum Block {
    /// Typed into a terminal.
    Typed(u8, String),
    /// Lines that appear in a terminal, perhaps among others.
    Shown(u8, Vec<String>),
}

fn blocks(manual: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = manual.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_prefix("```").filter(|fence| !fence.is_empty()) else {
            continue;
        };
        let inside: Vec<String> = lines
            .by_ref()
            .take_while(|line| *line != "```")
            .map(str::to_owned)
            .collect();
        let Some((kind, terminal)) = fence.split_once(' ') else {
            assert_eq!(fence, "console", "what is not followed is marked so");
            continue;
        };
        let terminal = terminal.parse().unwrap();
        blocks.push(match kind {
            "sh" => Block::Typed(terminal, inside.join("\n")),
            "text" => Block::Shown(terminal, inside),
            _ => panic!("```{fence}"),
        });
    }
    blocks
}

/// Whether a line is what the manual shows, where `…` stands for anything.
fn is_shown(shown: &str, line: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = line.trim_end().strip_prefix(parts.next().unwrap()) else {
        return false;
    };
    let mut is_open = false;
    for part in parts {
        is_open = true;
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.is_empty() || is_open && shown.ends_with('…')
}

/// A terminal: what runs in it, everything it has shown, and how much of that has been looked at.
#[derive(Default)]
struct Terminal {
    running: Option<Child>,
    text: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    seen: usize,
}

impl Terminal {
    /// Ctrl-C, and then the commands. `set -e`: a person would not go on after an error.
    fn enter(&mut self, commands: &str) {
        self.interrupt();
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("set -e\n{commands}")])
            .current_dir(root());
        // What cargo tells a test about itself, a person's terminal does not know; some build scripts would start again over it.
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME")
        {
            command.env_remove(name);
        }
        command.env_remove("RUSTUP_TOOLCHAIN");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        self.seen = self.text.lock().unwrap().len();
        self.follow(child.stdout.take().unwrap());
        self.follow(child.stderr.take().unwrap());
        self.running = Some(child);
    }

    fn follow(&mut self, mut output: impl Read + Send + 'static) {
        let text = Arc::clone(&self.text);
        self.readers.push(std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                let piece = String::from_utf8_lossy(&buffer[..length]);
                text.lock().unwrap().push_str(&piece);
            }
        }));
    }

    /// Waits until these lines are there, among what has not been looked at.
    fn wait_for(&mut self, shown: &[String]) {
        let mut last = self.seen;
        for line in shown {
            last = last.max(self.end_of(line));
        }
        self.seen = last;
    }

    /// Where the first such line ends.
    fn end_of(&mut self, shown: &str) -> usize {
        let deadline = Instant::now() + LIMIT;
        loop {
            let text = self.text.lock().unwrap().clone();
            let mut end = self.seen;
            for line in text[self.seen..].split_inclusive('\n') {
                end += line.len();
                if line.ends_with('\n') && is_shown(shown, line) {
                    return end;
                }
            }
            let has_ended = self
                .running
                .as_mut()
                .is_none_or(|child| child.try_wait().unwrap().is_some());
            assert!(
                !has_ended && Instant::now() < deadline,
                "no line `{shown}` in\n{text}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The commands must come to a good end.
    fn finish(&mut self) {
        let status = self.running.take().unwrap().wait().unwrap();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        assert!(status.success(), "{status}:\n{}", self.text.lock().unwrap());
    }

    fn interrupt(&mut self) {
        let Some(mut child) = self.running.take() else {
            return;
        };
        signal("-INT", &child);
        let deadline = Instant::now() + STOP;
        while child.try_wait().unwrap().is_none() {
            assert!(
                Instant::now() < deadline,
                "it does not stop:\n{}",
                self.text.lock().unwrap()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            signal("-KILL", &child);
            let _ = child.wait();
        }
    }
}

/// A signal to all that runs in a terminal, as its Ctrl-C is.
fn signal(name: &str, child: &Child) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args([name, "--", &group]).status();
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn whoever_follows_the_manual_gets_a_reply() {
    let began = Instant::now();
    let mut terminals = BTreeMap::<u8, Terminal>::new();
    let mut first_reply = None;
    for block in blocks(MANUAL) {
        match block {
            // The third terminal's commands end by themselves, the others' run on.
            Block::Typed(number, commands) => {
                let terminal = terminals.entry(number).or_default();
                terminal.enter(&commands);
                if number == 3 {
                    terminal.finish();
                }
            }
            Block::Shown(number, lines) => {
                terminals.get_mut(&number).unwrap().wait_for(&lines);
                if lines.iter().any(|line| line.starts_with("  reply to")) {
                    first_reply.get_or_insert_with(|| began.elapsed());
                }
            }
        }
    }
    println!("the first reply came after {:?}", first_reply.expect("a reply"));
    for terminal in terminals.values_mut().rev() {
        terminal.interrupt();
    }
    assert!(!root().join("target/demo.env").exists(), "it names what is gone");
}

#[test]
fn what_is_shown_is_compared_with_room_for_what_differs() {
    assert!(is_shown("taken", "taken\n"));
    assert!(is_shown("a … c …", "a b c d\n"));
    assert!(is_shown("{…}", "{\"seq\":1}\n"));
    for (shown, line) in [
        ("taken", "taken away\n"),
        ("taken", "not taken\n"),
        ("a … c", "a b\n"),
        ("a … c", "a b c d\n"),
    ] {
        assert!(!is_shown(shown, line), "{shown}: {line}");
    }
    let followed = blocks("x\n```sh 2\na\nb\n```\n```console\n$ c\n```\n```text 1\nd\n```\n");
    assert_eq!(
        followed,
        [
            Block::Typed(2, "a\nb".to_owned()),
            Block::Shown(1, vec!["d".to_owned()])
        ]
    );
}
