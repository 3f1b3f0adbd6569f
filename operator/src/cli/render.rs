//! `wahook-operator render`: every object that resources become, without a cluster.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use kube::api::DynamicObject;
use serde_json::Value;
use wahook_crds::WhatsAppWebhook;

use super::flags::SettingsArgs;
use super::parse::FlagProblems;
use super::schema::Schema;
use crate::build::build;
use crate::names;
use crate::settings::Settings;
use crate::validate::{TlsSource, Validated, validate};

const EXAMPLES: &str = "\
Examples:
  Every object of the resources in a file:
    wahook-operator render -f webhook.yaml --nats-servers nats://nats.nats:4222

  Whether a change would be accepted, and what it would change in the cluster:
    wahook-operator render -f webhook.yaml -n shop --nats-servers nats://nats.nats:4222 | kubectl diff -f -

  Of what another program makes:
    helm template . | wahook-operator render -f - --nats-servers nats://nats.nats:4222

Give it the flags the operator runs with: they decide what is allowed and what is default. Other kinds in the
files are left out. The generated Secret is not printed, as its values exist in the cluster only.

Exit codes: 0 printed, 1 a resource is refused (every reason is on standard error), 2 the command was used
wrongly.";

/// Arguments of `wahook-operator render`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RenderArgs {
    /// Files with `WhatsAppWebhook` resources, YAML or JSON; `-` reads standard input
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// The namespace of resources that name none
    #[arg(short = 'n', long, value_name = "NAMESPACE", default_value = "default")]
    pub resource_namespace: String,

    /// What `run` takes too.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// Why nothing could be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A flag cannot be used.
    #[error(transparent)]
    Flags(#[from] FlagProblems),
    /// A file could not be read.
    #[error("{}: {source}. Check the path and its permissions", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not YAML.
    #[error("{}: is not YAML: {reason}", path.display())]
    NotYaml {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// There is no resource in the files.
    #[error(
        "no WhatsAppWebhook was found. Give a file with a resource of kind WhatsAppWebhook in {}",
        api_version()
    )]
    Nothing,
    /// The objects could not be written.
    #[error("cannot write the result: {0}. Check where standard output goes")]
    Output(#[from] io::Error),
}

fn api_version() -> String {
    use kube::Resource as _;
    WhatsAppWebhook::api_version(&()).into_owned()
}

/// Prints the children of every resource. When one is refused nothing is printed but the reasons, on `log`, and the
/// result is false.
///
/// # Errors
/// When a flag or a file cannot be used.
pub fn run(
    args: &RenderArgs,
    mut input: impl Read,
    mut out: impl Write,
    mut log: impl Write,
) -> Result<bool, RenderError> {
    let settings = args.settings.settings()?;
    let schema = Schema::installed();
    let (mut text, mut reasons, mut notes, mut found) = (String::new(), Vec::new(), Vec::new(), 0);
    for path in &args.files {
        for document in documents(path, &mut input)? {
            if !is_webhook(&document) {
                let kind = document["kind"].as_str().unwrap_or("a document without kind");
                notes.push(format!("left out {kind} {}", shown(&document)));
                continue;
            }
            found += 1;
            let name = shown(&document);
            match read(&document, &schema, &settings, &args.resource_namespace) {
                Ok(webhook) => {
                    notes.extend(note(&webhook).map(|note| format!("{name}: {note}")));
                    print(&webhook, &settings, &mut text);
                }
                Err(refused) => reasons.extend(refused.into_iter().map(|reason| format!("{name}: {reason}"))),
            }
        }
    }
    if found == 0 {
        return Err(RenderError::Nothing);
    }
    for note in notes {
        writeln!(log, "note: {note}")?;
    }
    for reason in &reasons {
        writeln!(log, "refused: {reason}")?;
    }
    if reasons.is_empty() {
        out.write_all(text.as_bytes())?;
    }
    Ok(reasons.is_empty())
}

/// The documents of a file; those of a `List` one by one.
fn documents(path: &Path, input: &mut impl Read) -> Result<Vec<Value>, RenderError> {
    let unreadable = |source| RenderError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let text = if path == Path::new("-") {
        io::read_to_string(input).map_err(unreadable)?
    } else {
        fs::read_to_string(path).map_err(unreadable)?
    };
    let read: Vec<Value> = serde_saphyr::from_multiple(&text).map_err(|error| RenderError::NotYaml {
        path: path.to_owned(),
        reason: error.without_snippet().to_string(),
    })?;
    Ok(read
        .into_iter()
        .flat_map(|document| match document["items"].as_array() {
            Some(items) if document["kind"] == "List" => items.clone(),
            _ => vec![document],
        })
        .collect())
}

fn is_webhook(document: &Value) -> bool {
    document["kind"] == "WhatsAppWebhook"
        && document["apiVersion"]
            .as_str()
            .is_some_and(|version| version.starts_with("wahook.dev/"))
}

fn shown(document: &Value) -> &str {
    document["metadata"]["name"].as_str().unwrap_or("without a name")
}

/// The webhook, or every reason of the API server's, or else every one of the operator's.
fn read(
    document: &Value,
    schema: &Schema,
    settings: &Settings,
    namespace: &str,
) -> Result<Validated, Vec<String>> {
    if document["apiVersion"] != api_version().as_str() {
        return Err(vec![format!("apiVersion must be {}", api_version())]);
    }
    let filled = schema.admit(document)?;
    let mut resource: WhatsAppWebhook =
        serde_json::from_value(filled).map_err(|error| vec![format!("cannot be read: {error}")])?;
    resource
        .metadata
        .namespace
        .get_or_insert_with(|| namespace.to_owned());
    validate(&resource, settings)
        .map_err(|refusals| refusals.into_iter().map(|refusal| refusal.message).collect())
}

/// What a person should know although nothing is wrong with the resource itself.
fn note(webhook: &Validated) -> Option<&'static str> {
    (webhook.route.tls == TlsSource::Missing).then_some(
        "no certificate is configured for the host, so RouteReady would be False with TLSNotConfigured. Set \
         endpoint.tls, or run the operator with --issuer or --ingress-default-certificate",
    )
}

fn print(webhook: &Validated, settings: &Settings, text: &mut String) {
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "# WhatsAppWebhook {}/{}: {}",
        webhook.namespace,
        webhook.name,
        webhook.route.url()
    );
    if webhook.generates_secret {
        let _ = writeln!(
            text,
            "# The operator also creates the Secret {}, once, with random values for {} and {}. Read the token \
             with:\n#   kubectl -n {} get secret {} -o go-template='{{{{index .data \"{}\" | base64decode}}}}'",
            names::child(&webhook.name),
            names::VERIFY_TOKEN_KEY,
            names::PROBE_KEY,
            webhook.namespace,
            names::child(&webhook.name),
            names::VERIFY_TOKEN_KEY,
        );
    }
    for child in build(webhook, settings) {
        let _ = write!(text, "---\n{}", yaml(&child.object));
    }
}

/// An object as YAML, in the order in which people write it.
pub fn yaml(object: &DynamicObject) -> String {
    // JSON is YAML too, and what no YAML library can write is still read.
    serde_saphyr::to_string(object).unwrap_or_else(|_| format!("{:#}\n", serde_json::json!(object)))
}
