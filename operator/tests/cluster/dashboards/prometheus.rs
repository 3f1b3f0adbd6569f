//! A Prometheus that reads what it is told to every second.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;
use wahook_testbed::child::OwnedChild;
use wahook_testbed::log::Log;
use wahook_testbed::port::ReservedPort;
use wahook_testbed::tools::PROMETHEUS;

use crate::support::eventually;

/// Ends with its value.
pub struct Prometheus {
    _child: OwnedChild,
    _directory: TempDir,
    port: ReservedPort,
    http: reqwest::Client,
    log: Log,
}

impl Prometheus {
    pub async fn start(jobs: &[(&str, SocketAddr)]) -> Self {
        let directory = TempDir::new().unwrap();
        let port = ReservedPort::new().unwrap();
        let jobs: Vec<_> = jobs
            .iter()
            .map(|(job, address)| {
                json!({
                    "job_name": job,
                    "honor_labels": true,
                    "static_configs": [{ "targets": [address.to_string()] }],
                })
            })
            .collect();
        let configuration = json!({
            "global": { "scrape_interval": "1s", "scrape_timeout": "1s" },
            "scrape_configs": jobs,
        });
        let file = directory.path().join("prometheus.yaml");
        fs::write(&file, configuration.to_string()).unwrap();
        let binary = tokio::task::spawn_blocking(|| PROMETHEUS.find_or_install().unwrap());
        let mut command = Command::new(binary.await.unwrap());
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                directory.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={}", port.address()))
            .arg("--log.level=warn");
        let log = Log::default();
        let child = OwnedChild::spawn(command, &log).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let prometheus = Self {
            _child: child,
            _directory: directory,
            port,
            http,
            log,
        };
        eventually("Prometheus", async || {
            let ready = prometheus.http.get(prometheus.url("/-/ready")).send().await;
            ready.ok().filter(|answer| answer.status().is_success())
        })
        .await;
        prometheus
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.port.address())
    }

    /// The answer to a query: as it is now, or over these last seconds.
    pub async fn ask(&self, expr: &str, is_now: bool, seconds: u64) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let begin = now.saturating_sub(Duration::from_secs(seconds));
        let (path, range) = if is_now {
            ("/api/v1/query", String::new())
        } else {
            let (begin, end) = (begin.as_secs_f64(), now.as_secs_f64());
            (
                "/api/v1/query_range",
                format!("&start={begin}&end={end}&step={}", (seconds / 120).max(1)),
            )
        };
        let encoded: String = form_urlencoded(expr);
        let answer = self
            .http
            .post(self.url(path))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("query={encoded}{range}"))
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["status"], "success", "{expr}: {answer}");
        answer["data"]["result"].clone()
    }

    pub fn said(&self) -> String {
        self.log.tail(10)
    }
}

/// Every byte, which needs no list of those that may stay.
fn form_urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
