//! Prometheus: scrapes what it is told, evaluates rules, answers questions.

use serde_json::{Value, json};

use super::MonitoringError;
use super::server::Server;
use crate::log::Log;
use crate::tools::PROMETHEUS;

/// What a Prometheus does.
#[derive(Clone, Debug)]
pub struct PrometheusOptions {
    /// How often it scrapes and evaluates, such as `1s`.
    pub interval: String,
    /// Files with `scrape_configs`, YAML as a person writes it.
    pub scrape: Vec<String>,
    /// Files of rules, YAML or JSON.
    pub rules: Vec<String>,
    /// Where the Alertmanager is, `host:port`.
    pub alertmanager: Option<String>,
}

impl Default for PrometheusOptions {
    fn default() -> Self {
        Self {
            interval: "1s".to_owned(),
            scrape: Vec::new(),
            rules: Vec::new(),
            alertmanager: None,
        }
    }
}

impl PrometheusOptions {
    /// A `scrape_configs` file with one job and fixed targets, `host:port`.
    #[must_use]
    pub fn target(mut self, job: &str, targets: &[String]) -> Self {
        let file = json!({ "scrape_configs": [{
            "job_name": job,
            "static_configs": [{ "targets": targets }],
        }] });
        self.scrape.push(file.to_string());
        self
    }

    fn files(&self) -> Vec<(String, String)> {
        let named = |kind: &str, texts: &[String]| -> Vec<(String, String)> {
            let number = texts.iter().enumerate();
            number
                .map(|(number, text)| (format!("{kind}-{number}.yaml"), text.clone()))
                .collect()
        };
        let (scrape, rules) = (named("scrape", &self.scrape), named("rules", &self.rules));
        let listed =
            |files: &[(String, String)]| json!(files.iter().map(|(name, _)| name).collect::<Vec<_>>());
        let mut config = json!({
            "global": { "scrape_interval": self.interval, "scrape_timeout": self.interval, "evaluation_interval": self.interval },
            "scrape_config_files": listed(&scrape),
            "rule_files": listed(&rules),
        });
        if let Some(address) = &self.alertmanager {
            config["alerting"] =
                json!({ "alertmanagers": [{ "static_configs": [{ "targets": [address] }] }] });
        }
        // JSON is YAML.
        let config = ("config.yaml".to_owned(), config.to_string());
        [vec![config], scrape, rules].concat()
    }
}

/// A running Prometheus. Dropping it kills the process and deletes its data.
#[derive(Debug)]
pub struct Prometheus {
    server: Server,
}

impl Prometheus {
    /// Starts one and waits until it is ready.
    ///
    /// # Errors
    /// [`MonitoringError`]; when it did not come up, with the end of its output.
    pub async fn start(options: &PrometheusOptions) -> Result<Self, MonitoringError> {
        // What still fires is told again after each evaluation, and what does not is resolved as fast.
        let resend = format!("--rules.alert.resend-delay={}", options.interval);
        let arguments = ["--storage.tsdb.path=data", resend.as_str()];
        let server = Server::start(&PROMETHEUS, &options.files(), &arguments).await?;
        Ok(Self { server })
    }

    /// Where it is: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.server.url("")
    }

    /// Everything it wrote to its standard output and error.
    pub fn log(&self) -> &Log {
        &self.server.log
    }

    /// The member `data` of an answer of its API, such as `/api/v1/query` with `query`.
    ///
    /// # Errors
    /// [`MonitoringError::Http`], or [`MonitoringError::Refused`] with what it says is wrong.
    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, MonitoringError> {
        let mut url = reqwest::Url::parse(&self.server.url(path))
            .map_err(|error| MonitoringError::Refused(error.to_string()))?;
        url.query_pairs_mut().extend_pairs(parameters);
        let answer: Value = self.server.http.get(url).send().await?.json().await?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].clone()),
            _ => Err(MonitoringError::Refused(answer["error"].to_string())),
        }
    }

    /// What a query returns now: `result`, an array for most.
    ///
    /// # Errors
    /// As [`Prometheus::get`].
    pub async fn query(&self, query: &str) -> Result<Value, MonitoringError> {
        let data = self.get("/api/v1/query", &[("query", query)]).await?;
        Ok(data["result"].clone())
    }

    /// Its targets: labels, health and last error of each.
    ///
    /// # Errors
    /// As [`Prometheus::get`].
    pub async fn targets(&self) -> Result<Vec<Value>, MonitoringError> {
        let data = self.get("/api/v1/targets", &[("state", "active")]).await?;
        Ok(data["activeTargets"].as_array().cloned().unwrap_or_default())
    }
}
