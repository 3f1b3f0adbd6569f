//! The pieces that queries are made of.

/// The labels that every series of a webhook is chosen by.
const CHOSEN: &str = "job=~\"$job\", namespace=~\"$namespace\", webhook=~\"$webhook\"";

/// A receiver's or a webhook's series, as the variables choose, with further matchers.
pub(crate) fn series(metric: &str, matchers: &str) -> String {
    joined(metric, CHOSEN, matchers)
}

/// A series of the operator, which belongs to no webhook.
pub(crate) fn operators(metric: &str, matchers: &str) -> String {
    joined(metric, "job=~\"$job\"", matchers)
}

fn joined(metric: &str, chosen: &str, matchers: &str) -> String {
    let separator = if matchers.is_empty() { "" } else { ", " };
    format!("{metric}{{{chosen}{separator}{matchers}}}")
}

/// What series grow by in a second.
pub(crate) fn rate(series: &str) -> String {
    format!("rate({series}[$__rate_interval])")
}

/// The sum of what series grow by in a second, one for each value of some labels.
pub(crate) fn rates(labels: &str, series: &str) -> String {
    sum(labels, &rate(series))
}

/// A sum, one for each value of some labels.
pub(crate) fn sum(labels: &str, inner: &str) -> String {
    by("sum", labels, inner)
}

/// The largest, one for each value of some labels. Two operators never count one webhook twice this way.
pub(crate) fn max(labels: &str, inner: &str) -> String {
    by("max", labels, inner)
}

fn by(what: &str, labels: &str, inner: &str) -> String {
    if labels.is_empty() {
        format!("{what}({inner})")
    } else {
        format!("{what} by ({labels}) ({inner})")
    }
}

/// What counters grew by in the time shown.
pub(crate) fn grown(labels: &str, series: &str) -> String {
    sum(labels, &format!("increase({series}[$__range])"))
}

/// A quantile of a histogram whose buckets these are.
pub(crate) fn quantile(quantile: &str, labels: &str, buckets: &str) -> String {
    let labels = if labels.is_empty() {
        "le".to_owned()
    } else {
        format!("le, {labels}")
    };
    format!("histogram_quantile({quantile}, {})", rates(&labels, buckets))
}

/// A sum that is 0 where nothing was counted yet: some series begin with their first event.
pub(crate) fn or_zero(query: &str) -> String {
    format!("{query} or vector(0)")
}

/// The same for series with names: nothing has the name `none`.
pub(crate) fn or_none(label: &str, query: &str) -> String {
    format!("{query} or label_replace(vector(0), \"{label}\", \"none\", \"\", \"\")")
}

/// The ten largest.
pub(crate) fn largest(query: &str) -> String {
    format!("topk(10, {query})")
}

/// Values of the receivers' processes that the variables choose. Such metrics carry no names themselves: their instance's build does.
pub(crate) fn of_receivers(values: &str) -> String {
    let build = series("wahook_build_info", "");
    format!("{values} * on (job, instance) group_left (namespace, webhook) {build}")
}

/// Values of the operator's processes: their build belongs to no webhook.
pub(crate) fn of_operators(values: &str) -> String {
    let build = operators("wahook_build_info", "webhook=\"\"");
    format!("{values} * on (job, instance) group_left () {build}")
}
