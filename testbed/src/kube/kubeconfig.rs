//! Kubeconfig files: how a client finds a cluster and who it is there.

use std::path::PathBuf;
use std::{env, fs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::error::KubeError;
use super::pki::Pair;

/// The name of the cluster, its context and its user in every file made here.
pub const CONTEXT: &str = "wahook-testbed";

/// Who the client is.
pub(crate) enum Login<'a> {
    /// The owner of a client certificate.
    Certificate(&'a Pair),
    /// The bearer of a token.
    Token(&'a str),
    /// Someone else, in whose name the owner of a certificate may act: an administrator's impersonation.
    As {
        certificate: &'a Pair,
        user: &'a str,
        groups: &'a [&'a str],
    },
}

/// The text of a kubeconfig with everything inside, no path to any file.
pub(crate) fn render(url: &str, ca_pem: &str, login: &Login<'_>) -> Result<String, KubeError> {
    let user = match login {
        Login::Certificate(pair) => certificate(pair)?,
        Login::Token(token) => json!({ "token": token }),
        Login::As {
            certificate: pair,
            user,
            groups,
        } => {
            let mut fields = certificate(pair)?;
            fields["as"] = json!(user);
            if !groups.is_empty() {
                fields["as-groups"] = json!(groups);
            }
            fields
        }
    };
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": CONTEXT,
            "cluster": { "server": url, "certificate-authority-data": STANDARD.encode(ca_pem) },
        }],
        "users": [{ "name": CONTEXT, "user": user }],
        "contexts": [{ "name": CONTEXT, "context": { "cluster": CONTEXT, "user": CONTEXT } }],
        "current-context": CONTEXT,
    });
    serde_saphyr::to_string(&config)
        .map_err(|error| KubeError::io("write a kubeconfig")(std::io::Error::other(error)))
}

/// The kubeconfig a user already has: the first file of `KUBECONFIG` that exists, else `~/.kube/config`.
pub fn existing() -> Option<PathBuf> {
    let named = env::var_os("KUBECONFIG").unwrap_or_default();
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".kube/config"));
    env::split_paths(&named)
        .filter(|path| !path.as_os_str().is_empty())
        .chain(home)
        .find(|path| path.is_file())
}

fn certificate(pair: &Pair) -> Result<Value, KubeError> {
    let read = |path| {
        fs::read(path)
            .map(|bytes| STANDARD.encode(bytes))
            .map_err(KubeError::io("read a certificate"))
    };
    Ok(json!({
        "client-certificate-data": read(&pair.certificate)?,
        "client-key-data": read(&pair.key)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_colons_and_quotes_stays_one_name() {
        let text = render("https://127.0.0.1:1", "pem", &Login::Token("a: \"b\" # c")).unwrap();
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read["users"][0]["user"]["token"], "a: \"b\" # c");
        assert_eq!(read["clusters"][0]["cluster"]["server"], "https://127.0.0.1:1");
    }
}
