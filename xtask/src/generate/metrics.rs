//! The page of metrics, from what the receiver and the operator register.

use std::fmt::Write as _;

use wahook_operator::metrics as operator;
use wahook_receiver::metrics::{Definition, Kind, LATENCY_BUCKETS, Metrics, PUBLISH_BUCKETS};

const HEAD: &str = "\
# Metrics

<!-- Written by `cargo xtask generate` from receiver/src/metrics/definitions.rs and operator/src/metrics. Do not edit. -->

## Receiver

The receiver serves them on the admin port at `/metrics` (`http://127.0.0.1:9090/metrics` by hand).

Every series also carries the labels `namespace` and `webhook`. All label values come from closed lists, so no payload can
make series without end. On Linux the usual `process_*` metrics stand beside these.

| metric | kind | labels | meaning |
|---|---|---|---|
";

const OPERATOR: &str = "
## Operator

The operator serves them at `/metrics` of `--admin-listen`, port 8080 by default.

`controller_runtime_*` and `workqueue_*` mean what they mean in Go's controller-runtime, so that dashboards for any operator
work. What says something of a webhook carries `namespace` and `webhook`, and is gone with it. On Linux the usual `process_*`
metrics stand beside these.

| metric | kind | labels | meaning |
|---|---|---|---|
";

/// The page.
///
/// # Errors
/// When two metrics have one name.
pub(super) fn page() -> Result<String, prometheus::Error> {
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
        "\nBuckets, upper bounds in seconds:\n\n* `whatsapp_webhook_latency_seconds`: {}\n* `whatsapp_webhook_publish_seconds`: {}\n",
        bounds(&LATENCY_BUCKETS),
        bounds(&PUBLISH_BUCKETS)
    );
    page.push_str(OPERATOR);
    for metric in operator::Metrics::new()?.describe() {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind,
            labels.join(", "),
            metric.help.replace('|', "\\|")
        );
    }
    let _ = write!(
        page,
        "\nBuckets, upper bounds in seconds:\n\n* `controller_runtime_reconcile_time_seconds`: {}\n",
        bounds(&operator::SECONDS)
    );
    Ok(page)
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
