//! The names of other objects. Each becomes a field of a child that the API server would refuse if it were no
//! name, and then the whole child would be missing.

use wahook_crds::{Endpoint, Meta, Nats, Receiver, WhatsAppWebhookSpec};

use super::check::Check;

/// Checks every name of another object.
pub(super) fn read(spec: &WhatsAppWebhookSpec, check: &mut Check) {
    let mut named = Named::default();
    named.endpoint(&spec.endpoint);
    named.meta(&spec.meta);
    named.broker(&spec.nats);
    named.receiver(&spec.receiver);
    for (field, name) in named.objects {
        if !is_object_name(name) {
            check.invalid(format!(
                "{field} must be the name of an object in the same namespace: lower-case letters, digits, '-' \
                 and '.'"
            ));
        }
    }
    for (field, key) in named.keys {
        if !is_key(key) {
            check.invalid(format!(
                "{field} must be a key of the object: letters, digits, '-', '_' and '.'"
            ));
        }
    }
}

fn is_object_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    (1..=253).contains(&name.len())
        && name.bytes().all(legal)
        && !name.starts_with(['-', '.'])
        && !name.ends_with(['-', '.'])
}

fn is_key(key: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=253).contains(&key.len()) && key.bytes().all(legal) && key != "." && !key.starts_with("..")
}

/// The fields that name something, and what they name.
#[derive(Default)]
struct Named<'a> {
    objects: Vec<(String, &'a str)>,
    keys: Vec<(String, &'a str)>,
}

impl<'a> Named<'a> {
    fn object(&mut self, field: impl Into<String>, name: &'a str) {
        self.objects.push((field.into(), name));
    }

    /// An object and one of its values.
    fn value(&mut self, field: &str, name: &'a str, key: &'a str) {
        self.object(format!("{field}.name"), name);
        self.keys.push((format!("{field}.key"), key));
    }

    fn endpoint(&mut self, endpoint: &'a Endpoint) {
        if let Some(class) = endpoint
            .ingress
            .iter()
            .find_map(|ingress| ingress.class_name.as_ref())
        {
            self.object("endpoint.ingress.className", class);
        }
        let parents = endpoint.gateway.iter().flat_map(|gateway| &gateway.parent_refs);
        for (index, parent) in parents.enumerate() {
            let field = format!("endpoint.gateway.parentRefs[{index}]");
            self.object(format!("{field}.name"), &parent.name);
            self.object(format!("{field}.group"), &parent.group);
            if let Some(namespace) = &parent.namespace {
                self.object(format!("{field}.namespace"), namespace);
            }
            if let Some(section) = &parent.section_name {
                self.object(format!("{field}.sectionName"), section);
            }
        }
        if let Some(tls) = &endpoint.tls {
            if let Some(secret) = &tls.secret_name {
                self.object("endpoint.tls.secretName", secret);
            }
            if let Some(issuer) = &tls.issuer_ref {
                self.object("endpoint.tls.issuerRef.name", &issuer.name);
                self.object("endpoint.tls.issuerRef.group", &issuer.group);
            }
        }
    }

    fn meta(&mut self, meta: &'a Meta) {
        for (index, secret) in meta.app_secrets.iter().enumerate() {
            self.value(&format!("meta.appSecrets[{index}]"), &secret.name, &secret.key);
        }
        if let Some(token) = &meta.verify_token {
            self.value("meta.verifyToken", &token.name, &token.key);
        }
    }

    fn broker(&mut self, nats: &'a Nats) {
        if let Some(credentials) = &nats.credentials_secret_ref {
            const FIELD: &str = "nats.credentialsSecretRef";
            match &credentials.key {
                Some(key) => self.value(FIELD, &credentials.name, key),
                None => self.object(format!("{FIELD}.name"), &credentials.name),
            }
        }
        if let Some(tls) = &nats.tls {
            if let Some(ca) = &tls.ca_secret_ref {
                self.value("nats.tls.caSecretRef", &ca.name, &ca.key);
            }
            if let Some(ca) = &tls.ca_config_map_ref {
                self.value("nats.tls.caConfigMapRef", &ca.name, &ca.key);
            }
            if let Some(certificate) = &tls.client_certificate_secret_ref {
                self.object("nats.tls.clientCertificateSecretRef.name", &certificate.name);
            }
        }
    }

    fn receiver(&mut self, receiver: &'a Receiver) {
        for (index, secret) in receiver.image_pull_secrets.iter().enumerate() {
            self.object(format!("receiver.imagePullSecrets[{index}].name"), &secret.name);
        }
        if let Some(class) = &receiver.scheduling.priority_class_name {
            self.object("receiver.scheduling.priorityClassName", class);
        }
    }
}
