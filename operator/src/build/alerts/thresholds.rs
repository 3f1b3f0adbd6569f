//! The numbers of the alerts, in one place.

/// From which values on something is alerted about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Every window and every waiting time is divided by this, so that a test need not wait for days.
    /// Not below a second.
    pub compression: u64,
    /// The part of requests that may fail over five minutes.
    pub errors: f64,
    /// The 95th percentile of the latency, in seconds, that warns.
    pub slow: i32,
    /// The same, critical. Meta gives up after 20 s.
    pub too_slow: i32,
    /// The part of requests that the service level lets fail or be late.
    pub budget: f64,
    /// The part of events that may have been stored before.
    pub duplicates: f64,
    /// Refused signatures in a second that are an attack.
    pub forged: f64,
    /// How full a stream may be, as a part of its limit.
    pub stream: f64,
    /// Days before a certificate expires that warn.
    pub certificate_days: i32,
    /// The same, critical.
    pub certificate_last_days: i32,
    /// Requests in two hours of yesterday that make the same hours without any suspicious.
    pub traffic: u64,
    /// The part of reconciles that may fail.
    pub reconcile_errors: f64,
    /// Failures of one kind's watch in 15 minutes.
    pub watch_errors: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            compression: 1,
            errors: 0.05,
            slow: 10,
            too_slow: 15,
            budget: 0.001,
            duplicates: 0.2,
            forged: 1.0,
            stream: 0.8,
            certificate_days: 30,
            certificate_last_days: 7,
            traffic: 20,
            reconcile_errors: 0.1,
            watch_errors: 5,
        }
    }
}

impl From<&wahook_crds::Thresholds> for Thresholds {
    fn from(asked: &wahook_crds::Thresholds) -> Self {
        let part = |percent: i32| f64::from(percent) / 100.0;
        Self {
            errors: part(asked.error_percent),
            slow: asked.slow_seconds,
            too_slow: asked.too_slow_seconds,
            duplicates: part(asked.duplicate_percent),
            stream: part(asked.stream_percent),
            certificate_days: asked.certificate_days,
            certificate_last_days: asked.certificate_last_days,
            ..Self::default()
        }
    }
}

impl Thresholds {
    pub(super) fn seconds(&self, seconds: u64) -> String {
        let seconds = (seconds / self.compression.max(1)).max(1);
        [(86_400, 'd'), (3_600, 'h'), (60, 'm')]
            .into_iter()
            .find(|(unit, _)| seconds.is_multiple_of(*unit))
            .map_or_else(
                || format!("{seconds}s"),
                |(unit, letter)| format!("{}{letter}", seconds / unit),
            )
    }

    pub(super) fn minutes(&self, minutes: u64) -> String {
        self.seconds(60 * minutes)
    }

    pub(super) fn hours(&self, hours: u64) -> String {
        self.minutes(60 * hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_that_asks_for_nothing_gets_the_defaults() {
        let default = wahook_crds::Thresholds::default();
        assert_eq!(Thresholds::from(&default), Thresholds::default());
        let asked = wahook_crds::Thresholds {
            error_percent: 7,
            stream_percent: 29,
            ..default
        };
        let read = Thresholds::from(&asked);
        assert_eq!(
            (read.errors.to_string(), read.stream.to_string()),
            ("0.07".to_owned(), "0.29".to_owned())
        );
    }

    #[test]
    fn time_is_compressed_but_never_to_nothing() {
        let usual = Thresholds::default();
        assert_eq!(
            [
                usual.hours(72),
                usual.hours(6),
                usual.minutes(5),
                usual.seconds(90)
            ],
            ["3d", "6h", "5m", "90s"]
        );
        let compressed = Thresholds {
            compression: 60,
            ..usual
        };
        assert_eq!(
            [
                compressed.hours(72),
                compressed.minutes(5),
                compressed.seconds(30)
            ],
            ["72m", "5s", "1s"]
        );
    }
}
