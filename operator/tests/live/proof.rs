//! Who waits for alerts, and notes how long each took.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use wahook_operator::build::alerts::Alert;
use wahook_testbed::monitoring::{Catcher, GROUP_WAIT};

/// How often everything is scraped and evaluated.
pub const SCRAPE: Duration = Duration::from_secs(1);
/// The time an alert has to be resolved after the repair: the longest window, and the broker's and the cluster's own time.
const RESOLVE: Duration = Duration::from_secs(110);
/// Past the bound the test still looks, so that its table says by how much it was missed.
const GRACE: Duration = Duration::from_secs(20);

struct Row {
    name: &'static str,
    took: Option<Duration>,
    bound: Duration,
    resolved: Option<Duration>,
}

impl Row {
    fn is_good(&self) -> bool {
        self.took.is_some_and(|took| took <= self.bound) && self.resolved.is_some()
    }
}

pub struct Proof {
    catcher: Catcher,
    alerts: Vec<Alert>,
    rows: Mutex<Vec<Row>>,
}

impl Proof {
    pub fn new(catcher: Catcher, alerts: Vec<Alert>) -> Self {
        Self {
            catcher,
            alerts,
            rows: Mutex::default(),
        }
    }

    /// Waits until the alert was told, counted from `begin`, when the thing was broken. `takes` is the time until the break
    /// shows in the alert's query, such as the time of a late request or of enough requests.
    pub async fn fires(&self, name: &'static str, of: &str, begin: Instant, takes: u64) {
        let lasting = self.alerts.iter().filter(|alert| alert.name == name);
        // The shortest of a burn's pairs of windows.
        let lasting = lasting
            .map(|alert| seconds(alert.lasting.as_deref().unwrap_or("0s")))
            .min()
            .unwrap();
        let bound = lasting + Duration::from_secs(takes) + 2 * SCRAPE + SCRAPE + GROUP_WAIT;
        let told = self.wait(name, of, true, begin, bound + GRACE).await;
        eprintln!("{name} of {of}: {told:?}, at most {bound:?}");
        self.rows.lock().unwrap().push(Row {
            name,
            took: told,
            bound,
            resolved: None,
        });
    }

    /// Waits until the alert was resolved, counted from `repaired`.
    pub async fn resolves(&self, name: &'static str, of: &str, repaired: Instant) {
        let told = self.wait(name, of, false, repaired, RESOLVE).await;
        eprintln!("{name} of {of}: resolved {told:?}");
        let mut rows = self.rows.lock().unwrap();
        let row = rows.iter_mut().find(|row| row.name == name);
        row.unwrap().resolved = told;
    }

    async fn wait(
        &self,
        name: &str,
        of: &str,
        is_firing: bool,
        since: Instant,
        limit: Duration,
    ) -> Option<Duration> {
        let left = limit.saturating_sub(since.elapsed());
        let notice = self.catcher.wait_for(since, left, |notice| {
            let webhook = notice.labels.get("webhook").map_or("operator", String::as_str);
            notice.is_firing == is_firing && notice.is(name, &[]) && webhook == of
        });
        Some(notice.await?.at.duration_since(since))
    }

    /// Fails unless every alert was proven but for those in `others`.
    pub fn finish(&self, others: &[(&'static str, &str)]) {
        let rows = self.rows.lock().unwrap();
        let mut table = String::new();
        for row in rows.iter() {
            let verdict = if row.is_good() { "ok" } else { "NOT PROVEN" };
            let _ = writeln!(
                table,
                "{verdict:10} {:40} {:?} of {:?}, resolved after {:?}",
                row.name, row.took, row.bound, row.resolved
            );
        }
        eprintln!("{table}");
        let all: BTreeSet<_> = self.alerts.iter().map(|alert| alert.name).collect();
        let good: BTreeSet<_> = rows
            .iter()
            .filter(|row| row.is_good())
            .map(|row| row.name)
            .collect();
        let left: BTreeSet<_> = all.difference(&good).copied().collect();
        let excused: BTreeSet<_> = others.iter().map(|(name, _)| *name).collect();
        assert_eq!(left, excused, "not proven, and those that are known not to be");
        assert!(
            good.len() * 10 >= all.len() * 9,
            "{} of {}",
            good.len(),
            all.len()
        );
    }
}

/// A duration as rules have it.
fn seconds(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.len() - 1);
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => panic!("{text}"),
    };
    Duration::from_secs(number.parse::<u64>().unwrap() * factor)
}
