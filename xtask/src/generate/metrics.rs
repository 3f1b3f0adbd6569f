//! The page of metrics, from the definitions the receiver registers.

use std::fmt::Write as _;

use wahook_receiver::metrics::{Definition, Kind, LATENCY_BUCKETS, Metrics, PUBLISH_BUCKETS};

const HEAD: &str = "\
# Metrics

<!-- Written by `cargo xtask generate` from receiver/src/metrics/definitions.rs. Do not edit. -->

The receiver serves them on the admin port at `/metrics` (`http://127.0.0.1:9090/metrics` by hand).

Every series also carries the labels `namespace` and `webhook`. All label values come from closed lists, so no payload can
make series without end. On Linux the usual `process_*` metrics stand beside these.

| metric | kind | labels | meaning |
|---|---|---|---|
";

/// The page.
pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    for Definition {
        name,
        kind,
        labels,
        help,
    } in Metrics::describe()
    {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "| `{name}` | {} | {} | {} |",
            word(*kind),
            labels.join(", "),
            help.replace('|', "\\|")
        );
    }
    let _ = write!(
        page,
        "\n## Buckets\n\nUpper bounds in seconds.\n\n* `whatsapp_webhook_latency_seconds`: {}\n* `whatsapp_webhook_publish_seconds`: {}\n",
        bounds(&LATENCY_BUCKETS),
        bounds(&PUBLISH_BUCKETS)
    );
    page
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

fn bounds(buckets: &[f64]) -> String {
    let bounds: Vec<_> = buckets.iter().map(ToString::to_string).collect();
    bounds.join(", ")
}
