//! Every command of the runbooks and the manual, on a webhook that has what they ask about.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use wahook_events::samples;
use wahook_testbed::kube::NODE_ADDRESS;
use wahook_testbed::meta::sign;
use wahook_testbed::tools::NATS_CLI;

use super::error::{E2eError, Result, expect};
use super::founder::{delivered, routed};
use super::house::{House, NAMESPACE, RELEASE, stream_of};
use super::pages::{self, Mode, Step};

/// The webhook that somebody is on call for.
const WEBHOOK: (&str, &str) = (NAMESPACE, "oncall");
const HOST: &str = "oncall.example.com";
/// No command of a person's in a hurry takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// Where commands run, and with what.
struct Desk {
    directory: PathBuf,
    environment: Vec<(&'static str, String)>,
    signature: String,
}

/// Runs them all, and says of all that fail where they stand.
pub(super) async fn run(house: &House) -> Result<String> {
    arrange(house).await?;
    let desk = desk(house).await?;
    let read = pages::read(house.root()).map_err(E2eError::io("read the runbooks"))?;
    let (mut ran, mut wrong) = (0, Vec::new());
    for (page, text) in &read {
        let steps = pages::steps(page, text).map_err(|error| E2eError::Unmet(error.to_string()))?;
        for step in steps.iter().filter(|step| step.mode != Mode::Meta) {
            ran += 1;
            if let Err(problem) = desk.run(step).await {
                wrong.push(format!("{page}:{}: {problem}\n    {}", step.line, step.text));
            }
        }
    }
    clear(house).await?;
    expect(wrong.is_empty(), || {
        format!("{} of {ran} commands:\n{}", wrong.len(), wrong.join("\n"))
    })?;
    Ok(format!("{ran} commands of {} pages", read.len()))
}

/// A webhook with a certificate of its own, an event and a dead letter.
async fn arrange(house: &House) -> Result {
    let kubectl = &house.kubectl;
    let (_, name) = WEBHOOK;
    let (certificate, key) = house.node.ingress_certificate()?;
    // As cert-manager would, of which only the kinds are here.
    kubectl
        .line(&format!(
            "create secret tls {name}-webhook-tls -n {NAMESPACE} --cert={} --key={}",
            certificate.display(),
            key.display()
        ))
        .await?;
    // Without it the Secret is a stranger's, and there is no Certificate for it.
    kubectl
        .line(&format!(
            "annotate secret {name}-webhook-tls -n {NAMESPACE} cert-manager.io/certificate-name={name}-webhook"
        ))
        .await?;
    let manifest = format!(
        "apiVersion: wahook.dev/v1alpha1\nkind: WhatsAppWebhook\nmetadata: {{name: {name}}}\nspec:\n  endpoint: {{host: {HOST}, \
         tls: {{issuerRef: {{kind: Issuer, name: letsencrypt}}}}}}\n  meta: {{appSecrets: [{{name: meta-app, key: \
         app-secret}}]}}\n  nats: {{credentialsSecretRef: {{name: wahook-nats-receivers}}, stream: {{maxBytes: 16Mi}}}}\n"
    );
    kubectl.apply(NAMESPACE, &manifest).await?;
    for condition in ["StreamReady", "ReceiverReady"] {
        kubectl.condition(WEBHOOK, condition, "True", "").await?;
    }
    routed(house, HOST).await?;
    delivered(house, WEBHOOK, HOST).await?;
    let answer = house.meta(HOST)?.post("no JSON").await?;
    expect(answer.status == 200, || {
        format!("a dead letter was answered {}: {}", answer.status, answer.text())
    })
}

/// What the pages assume: the programs, a login of NATS, a refused request in files.
async fn desk(house: &House) -> Result<Desk> {
    let directory = house.root().join("target/e2e/runbooks");
    fs::create_dir_all(&directory).map_err(E2eError::io("make a directory for runbooks"))?;
    let directory = directory.canonicalize().map_err(E2eError::io("find it"))?;
    let sample = samples::get("text").ok_or_else(|| E2eError::Unmet("there is no sample `text`".into()))?;
    let body = samples::fresh(sample, "runbooks", None);
    let signature = sign(&house.app_secret, body.as_bytes());
    let curl = format!(
        "resolve = \"{HOST}:443:{}\"\ncacert = \"{}\"\n",
        NODE_ADDRESS,
        house.node.authority().display()
    );
    for (name, content) in [
        ("body.json", body.as_bytes()),
        ("app-secret", house.app_secret.as_bytes()),
        (".curlrc", curl.as_bytes()),
    ] {
        fs::write(directory.join(name), content).map_err(E2eError::io(format!("write {name}")))?;
    }
    let nats = tokio::task::spawn_blocking(|| NATS_CLI.find_or_install())
        .await
        .map_err(|error| E2eError::Unmet(error.to_string()))??;
    let mut path: Vec<PathBuf> = [&house.kubectl.program, &house.helm.program, &nats]
        .into_iter()
        .filter_map(|program| program.parent().map(Path::to_owned))
        .collect();
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let path = std::env::join_paths(path).map_err(|error| E2eError::Unmet(error.to_string()))?;
    let (user, password) = house.consumers_login().await?;
    let home = directory.display().to_string();
    Ok(Desk {
        environment: vec![
            ("PATH", path.to_string_lossy().into_owned()),
            ("KUBECONFIG", house.kubectl.kubeconfig.display().to_string()),
            ("HOME", home.clone()),
            ("CURL_HOME", home),
            ("NATS_URL", house.broker().await?),
            ("NATS_USER", user),
            ("NATS_PASSWORD", password),
        ],
        directory,
        signature,
    })
}

impl Desk {
    fn value(&self, placeholder: &str) -> Option<String> {
        let value = match placeholder {
            "NAMESPACE" => NAMESPACE.to_owned(),
            "NAME" => WEBHOOK.1.to_owned(),
            "STREAM" => stream_of(WEBHOOK),
            "RELEASE" => RELEASE.to_owned(),
            "HOST" => HOST.to_owned(),
            "ADDRESS" => NODE_ADDRESS.to_string(),
            "SIGNATURE" => self.signature.clone(),
            _ => return None,
        };
        Some(value)
    }

    /// Runs a command as a shell would; it has to succeed and to say something.
    async fn run(&self, step: &Step) -> std::result::Result<(), String> {
        let script = step
            .script(|word| self.value(word))
            .map_err(|error| error.to_string())?;
        let child = tokio::process::Command::new("sh")
            .args(["-e", "-c", &script])
            .current_dir(&self.directory)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        let output = tokio::time::timeout(LIMIT, child.wait_with_output())
            .await
            .map_err(|_| format!("no end within {LIMIT:?}"))?
            .map_err(|error| error.to_string())?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        let complaint = complaint.trim();
        if !output.status.success() {
            return Err(format!("ended with {}: {complaint}", output.status));
        }
        if output.stdout.trim_ascii().is_empty() {
            return Err(format!("it shows nothing: {complaint}"));
        }
        Ok(())
    }
}

/// Nothing of it is left for the steps after it.
async fn clear(house: &House) -> Result {
    let (_, name) = WEBHOOK;
    for object in [
        format!("whatsappwebhook {name}"),
        format!("secret {name}-webhook-tls"),
    ] {
        house
            .kubectl
            .line(&format!("delete {object} -n {NAMESPACE}"))
            .await?;
    }
    Ok(())
}
