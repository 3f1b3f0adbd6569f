//! What is there: the children of a webhook and what it refers to, as the API server has them now.
//!
//! Nothing here decides anything, and nothing is remembered from one look to the next.

mod kinds;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join, join_all, join3, try_join_all};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, DynamicObject};

pub use kinds::{Kinds, discover};
pub use secrets::{SecretState, read as read_secret, read_own_value};

use crate::api_error::ApiError;
use crate::apply::is_ours;
use crate::child::ChildKind;
use crate::names;
use crate::settings::SecretAccess;
use crate::validate::{TlsSource, Validated};

/// What was found under the name of a child.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Nothing.
    Absent,
    /// The webhook's own object.
    Ours(Box<DynamicObject>),
    /// An object that belongs to someone else.
    Foreign,
    /// The cluster has no such kind.
    NoSuchKind,
    /// The API server does not let the operator look.
    Refused(String),
}

impl Found {
    /// The webhook's own object.
    pub fn ours(&self) -> Option<&DynamicObject> {
        match self {
            Self::Ours(object) => Some(object),
            _ => None,
        }
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The children, all kinds of them.
    pub children: BTreeMap<ChildKind, Found>,
    /// The Secret with the verify token and the probe key.
    pub generated: SecretState,
    /// The Secrets that the resource refers to, by name.
    pub secrets: BTreeMap<String, SecretState>,
    /// The Secret that cert-manager is to keep the certificate in. Whatever is in a stranger's would be lost.
    pub certificate: SecretState,
    /// The `ConfigMap` with the broker's authorities, when one is referred to: whether it has the key.
    pub authorities: Option<bool>,
}

/// Who is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The resource's namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its uid.
    pub uid: &'a str,
}

/// Looks at all children, and at what a valid resource refers to.
///
/// # Errors
/// Only such that may be gone at the next try.
pub async fn observe(
    client: &Client,
    subject: Subject<'_>,
    validated: Option<&Validated>,
    access: SecretAccess,
    kinds: &BTreeSet<ChildKind>,
) -> Result<Observed, ApiError> {
    let children = try_join_all(ChildKind::ALL.into_iter().map(async |kind| {
        let found = child(client, subject, kind, kinds).await?;
        Ok::<_, ApiError>((kind, found))
    }));
    let generated_name = names::child(subject.name);
    let generated = async {
        match (access, validated) {
            (SecretAccess::ByName, Some(validated)) if validated.generates_secret => {
                read_secret(client, subject.namespace, &generated_name).await
            }
            _ => Ok(SecretState::Unread),
        }
    };
    let certificate = async {
        match (access, validated.map(|validated| &validated.route.tls)) {
            (SecretAccess::ByName, Some(TlsSource::Issuer { secret, .. })) => {
                read_secret(client, subject.namespace, secret).await
            }
            _ => Ok(SecretState::Unread),
        }
    };
    let referred = async {
        let (Some(validated), SecretAccess::ByName) = (validated, access) else {
            return Vec::new();
        };
        let names = referred_secrets(validated, &generated_name);
        join_all(names.into_iter().map(async |name| {
            let state = read_secret(client, subject.namespace, &name).await;
            state.map(|state| (name, state))
        }))
        .await
    };
    let authorities = authorities(client, subject.namespace, validated);
    let ((children, generated, certificate), (referred, authorities)) = join(
        join3(children, generated, certificate),
        join(referred, authorities),
    )
    .await;
    let certificate = certificate?.kept_for(&generated_name);
    let mut children: BTreeMap<_, _> = children?.into_iter().collect();
    if certificate == SecretState::Foreign {
        children.insert(ChildKind::Certificate, Found::Foreign);
    }
    Ok(Observed {
        children,
        generated: generated?.owned_by(subject.uid),
        certificate,
        secrets: referred.into_iter().collect::<Result<_, _>>()?,
        authorities: authorities?,
    })
}

async fn child(
    client: &Client,
    subject: Subject<'_>,
    kind: ChildKind,
    kinds: &BTreeSet<ChildKind>,
) -> Result<Found, ApiError> {
    if kind.is_optional() && !kinds.contains(&kind) {
        return Ok(Found::NoSuchKind);
    }
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), subject.namespace, &kind.resource());
    match api
        .get_opt(&kind.name(subject.name))
        .await
        .map_err(ApiError::from)
    {
        Ok(None) => Ok(Found::Absent),
        Ok(Some(object)) if is_ours(&object.metadata, subject.uid) => Ok(Found::Ours(Box::new(object))),
        Ok(Some(_)) => Ok(Found::Foreign),
        Err(error @ ApiError::Refused { .. }) => Ok(Found::Refused(error.to_string())),
        Err(error) => Err(error),
    }
}

/// The names of all Secrets that a resource refers to, but for the generated one.
fn referred_secrets(validated: &Validated, generated: &str) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = validated
        .secrets
        .iter()
        .map(|file| file.from.name.clone())
        .collect();
    if let TlsSource::Secret(secret) = &validated.route.tls {
        names.insert(secret.clone());
    }
    if validated.generates_secret {
        names.remove(generated);
    }
    names
}

async fn authorities(
    client: &Client,
    namespace: &str,
    validated: Option<&Validated>,
) -> Result<Option<bool>, ApiError> {
    let Some((name, key)) = validated.and_then(|validated| validated.nats.ca_config_map.as_ref()) else {
        return Ok(None);
    };
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    match api.get_opt(name).await.map_err(ApiError::from) {
        Ok(found) => {
            let has = found
                .and_then(|map| map.data)
                .and_then(|data| data.get(key).map(|text| !text.trim().is_empty()));
            Ok(Some(has.unwrap_or_default()))
        }
        Err(error) if error.is_transient() => Err(error),
        Err(_) => Ok(Some(false)),
    }
}
