//! The operator as a process: started as in a pod, asked for its metrics, and what it costs.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use wahook_testbed::child::OwnedChild;
use wahook_testbed::log::Log;
use wahook_testbed::port::ReservedPort;

use super::error::{Result, ScaleError};

/// Linux gives programs the processor's time in hundredths of a second, whatever the kernel counts in (proc(5), `USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;
const STOP_LIMIT: Duration = Duration::from_secs(20);
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const LAST_LINES: usize = 15;
/// The namespace it keeps its Lease in.
pub(super) const NAMESPACE: &str = "wahook";

/// How the operator is started.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) binary: PathBuf,
    pub(super) kubeconfig: PathBuf,
    pub(super) nats: String,
}

/// A running operator. Dropping it kills it.
pub(super) struct Operator {
    child: OwnedChild,
    admin: ReservedPort,
    http: reqwest::Client,
    log: Log,
}

/// What it costs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Seconds of the processor since its start.
    pub(super) cpu: f64,
    /// Memory now, in MiB.
    pub(super) memory: f64,
    /// The most memory there was, in MiB.
    pub(super) peak: f64,
}

/// What it has done, by its own count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Looks {
    /// Reconciles that ended.
    pub(super) ended: u64,
    /// Reconciles that go on.
    pub(super) active: u64,
}

impl Operator {
    /// Starts it with its defaults, leader election among them.
    pub(super) fn start(options: &Options) -> Result<Self> {
        let start = || {
            let admin = ReservedPort::new()?;
            let mut command = Command::new(&options.binary);
            for (name, _) in env::vars_os() {
                command.env_remove(name);
            }
            command
                .args(["run", "--namespace", NAMESPACE])
                .args(["--nats-servers", &options.nats])
                .args(["--admin-listen", &admin.address().to_string()])
                .args(["--log-level", "warn"])
                .env("KUBECONFIG", &options.kubeconfig);
            let log = Log::default();
            let child = OwnedChild::spawn(command, &log)?;
            Ok((admin, child, log))
        };
        let (admin, child, log) = start().map_err(ScaleError::io("start the operator"))?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_LIMIT)
            .build()?;
        Ok(Self {
            child,
            admin,
            http,
            log,
        })
    }

    /// Fails when it has ended.
    pub(super) fn expect_running(&self, meanwhile: &'static str) -> Result {
        match self.child.exit_status() {
            None => Ok(()),
            Some(_) => Err(ScaleError::Ended(meanwhile, self.last_lines())),
        }
    }

    /// Asks it to end and waits.
    pub(super) async fn stop(self) -> Result {
        let ended = self.child.terminate(STOP_LIMIT).await;
        ended.map(drop).map_err(ScaleError::io("stop the operator"))
    }

    /// The end of what it logged.
    pub(super) fn last_lines(&self) -> String {
        self.log.tail(LAST_LINES)
    }

    /// How many times it has looked at a resource; none while it does not answer yet.
    pub(super) async fn looks(&self) -> Looks {
        let url = format!("http://{}/metrics", self.admin.address());
        let answer = self.http.get(url).send().await;
        let text = match answer.and_then(reqwest::Response::error_for_status) {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        Looks {
            ended: sum(&text, "controller_runtime_reconcile_total"),
            active: sum(&text, "controller_runtime_active_workers"),
        }
    }

    /// What it has cost so far.
    pub(super) fn cost(&self) -> Result<Cost> {
        let read = |file: &str| {
            let path = format!("/proc/{}/{file}", self.child.pid());
            fs::read_to_string(&path).map_err(ScaleError::io(format!("read {path}")))
        };
        Ok(cost(&read("stat")?, &read("status")?))
    }
}

/// Reads proc(5)'s `stat` and `status`.
fn cost(stat: &str, status: &str) -> Cost {
    // Fields 14 and 15, user and system; the name in brackets may hold spaces.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or_default() / 1024.0
    };
    Cost {
        cpu: ticks / TICKS_A_SECOND,
        memory: mib("VmRSS:"),
        peak: mib("VmHWM:"),
    }
}

/// The sum of a metric over its labels.
fn sum(text: &str, name: &str) -> u64 {
    let values = text.lines().filter_map(|line| {
        let labels = line.strip_prefix(name)?;
        labels
            .starts_with(['{', ' '])
            .then(|| labels.rsplit(' ').next()?.parse::<u64>().ok())?
    });
    values.sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;

    #[test]
    fn a_process_tells_its_cost() {
        let stat = "17 (a ) b) S 1 17 17 0 -1 4 5 6 7 8 150 50 11 12 20 0 1 0 4711 19 20";
        let status = "Name:\ta\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        let cost = cost(stat, status);
        assert_eq!((cost.cpu, cost.memory, cost.peak), (2.0, 10.0, 20.0));
    }

    #[test]
    fn a_metric_is_summed_over_its_labels_and_no_other_is() {
        let text = "# TYPE looks counter\nlooks{result=\"a\"} 2\nlooks{result=\"b\"} 40\nlooks_more{} 100\n";
        assert_eq!(sum(text, "looks"), 42);
    }
}
