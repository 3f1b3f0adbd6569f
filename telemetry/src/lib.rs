//! Logs: JSON for machines, text for people, a level that changes without a restart.
//!
//! JSON goes to standard output, where a log collector reads it; text goes to standard error, so
//! that a command's own output stays clean. Control characters never reach either: one event is one
//! line, and nothing in it can move a terminal's cursor.
//!
//! Traces are in [`trace`].

pub mod trace;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry, reload};

/// Comes before whatever is configured. The NATS client logs each reconnect attempt at info, and the exporter of traces
/// repeats what a collector says.
const BASE_FILTER: &str = "info,async_nats=warn,opentelemetry=warn,opentelemetry_sdk=warn,opentelemetry-http=warn,opentelemetry-otlp=warn";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line, on standard output.
    Json,
    /// Text for a person, on standard error.
    Text,
}

/// Why logging could not be set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is not a filter. The message does not repeat it: it came from outside.
    #[error("the log level is not valid: {0}. Use error, warn, info, debug or trace, or target=level pairs")]
    Level(#[from] ParseError),
    /// The process has a logger already.
    #[error("logging was set up twice: {0}. Call `init` once per process")]
    Twice(#[from] TryInitError),
    /// The logger is gone or poisoned.
    #[error("the log level could not be changed: {0}. Restart the program to apply it")]
    Gone(#[from] reload::Error),
    /// Traces cannot be exported.
    #[error("traces cannot be exported: {0}. Check the tracing settings, or leave them out")]
    Traces(String),
}

/// Changes the level of the running process.
#[derive(Clone)]
pub struct LogLevel {
    handle: reload::Handle<EnvFilter, Registry>,
}

impl LogLevel {
    /// Replaces the level, for example `debug` or `info,wahook_receiver=trace`.
    ///
    /// # Errors
    /// [`TelemetryError::Level`] when it is not valid; the old level then stays.
    pub fn set(&self, level: &str) -> Result<(), TelemetryError> {
        let filter = filter(level)?;
        self.handle.reload(filter)?;
        Ok(())
    }
}

impl std::fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogLevel").finish_non_exhaustive()
    }
}

/// Starts logging for the whole process. An empty level means the default: `info`, and only warnings
/// of the NATS client.
///
/// # Errors
/// [`TelemetryError::Level`] for a level that is not valid, [`TelemetryError::Twice`] on a second call.
pub fn init(format: LogFormat, level: &str) -> Result<LogLevel, TelemetryError> {
    let (handle, subscriber) = match format {
        LogFormat::Json => subscriber(format, level, io::stdout)?,
        LogFormat::Text => subscriber(format, level, io::stderr)?,
    };
    subscriber.try_init()?;
    Ok(handle)
}

type Subscriber = Box<dyn tracing::Subscriber + Send + Sync>;

fn subscriber<W>(format: LogFormat, level: &str, writer: W) -> Result<(LogLevel, Subscriber), TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(filter(level)?);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(OneLine(Arc::new(writer)));
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
        LogFormat::Text => lines.boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(filter).with(lines);
    Ok((LogLevel { handle }, Box::new(subscriber)))
}

/// Later directives win, so the configured ones can also undo the base.
fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(format!("{BASE_FILTER},{level}"))
}

/// Makes writers that keep an event on one line.
struct OneLine<W>(Arc<W>);

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for OneLine<W> {
    type Writer = OneLineWriter<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        OneLineWriter(self.0.make_writer())
    }
}

/// Escapes control characters except the newline that ends the event. The formatter hands over a
/// whole event in one write.
struct OneLineWriter<W>(W);

impl<W: Write> Write for OneLineWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0
            .write_all(one_line(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The event without control characters, line and paragraph separators or direction overrides,
/// any of which could make one event look like another. The escapes are JSON's, right in both formats.
pub fn one_line(event: &str) -> String {
    let (line, end) = event.strip_suffix('\n').map_or((event, ""), |line| (line, "\n"));
    let mut safe = String::with_capacity(event.len());
    for character in line.chars() {
        let unsafe_to_show =
            character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if unsafe_to_show {
            // Writing to a string cannot fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe + end
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged while `work` runs.
    fn logged(format: LogFormat, level: &str, work: impl FnOnce(&LogLevel)) -> String {
        let memory = Memory::default();
        let copy = memory.clone();
        let (handle, subscriber) = subscriber(format, level, move || copy.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || work(&handle));
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_lines_parse() {
        let text = logged(LogFormat::Json, "", |_| {
            tracing::warn!(count = 3, "two\nlines \u{1b}[31m\u{85}\u{2028}");
        });
        let shown = text.trim_end_matches('\n');
        assert!(
            !shown.contains(|c: char| c.is_control() || c == '\u{2028}'),
            "{text}"
        );
        let line: serde_json::Value = serde_json::from_str(shown).unwrap();
        assert_eq!((&line["level"], &line["count"]), (&"WARN".into(), &3.into()));
        assert!(line["message"].as_str().unwrap().contains("two\nlines"));
    }

    #[test]
    fn text_stays_on_one_line() {
        let text = logged(LogFormat::Text, "", |_| {
            tracing::info!(path = %"a\r\nINFO forged\u{1b}[2J\u{9b}\u{202e}\u{2028}", "ends\n");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.ends_with('\n'));
        let line = text.trim_end_matches('\n');
        assert!(
            !line
                .chars()
                .any(|c| c.is_control() || c == '\u{202e}' || c == '\u{2028}'),
            "{line}"
        );
        assert!(line.contains("INFO forged"), "the text itself is kept: {line}");
    }

    #[test]
    fn the_default_is_info_and_only_warnings_of_the_nats_client() {
        let text = logged(LogFormat::Text, "", |_| {
            tracing::debug!("hidden-debug");
            tracing::info!("shown-info");
            tracing::info!(target: "async_nats", "hidden-nats");
            tracing::warn!(target: "async_nats", "shown-nats");
        });
        assert!(
            text.contains("shown-info") && text.contains("shown-nats"),
            "{text}"
        );
        assert!(!text.contains("hidden"), "{text}");
    }

    #[test]
    fn the_level_changes_while_running() {
        let text = logged(LogFormat::Text, "warn", |level| {
            tracing::info!("hidden-before");
            level.set("debug,async_nats=info").unwrap();
            tracing::debug!("shown-after");
            tracing::info!(target: "async_nats", "shown-nats");
            level.set("===").unwrap_err();
            tracing::debug!("shown-still");
        });
        assert!(!text.contains("hidden"), "{text}");
        for shown in ["shown-after", "shown-nats", "shown-still"] {
            assert!(text.contains(shown), "{text}");
        }
    }

    #[test]
    fn a_wrong_level_names_the_next_step() {
        let error = filter("info,=,nonsense=verbose")
            .map_err(TelemetryError::from)
            .unwrap_err();
        assert!(error.to_string().contains("Use error, warn, info"), "{error}");
    }
}
