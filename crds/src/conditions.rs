//! The conditions of a `WhatsAppWebhook` and every reason they can have. Written nowhere else.

use std::fmt;

/// Declares an enum whose variants are spelled in the status as they are here.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All of them, in the order they are declared.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of the status.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// A condition. Each is present from the first reconcile on.
    ConditionType {
        /// True when SecretsReady, StreamReady, ReceiverReady and RouteReady are. Otherwise it has the reason
        /// of the first of them that is not.
        Ready,
        /// True when every referenced Secret and key exists.
        SecretsReady,
        /// True when the stream exists, is ours or meant to be used, and has settings that lose nothing.
        StreamReady,
        /// True when the receivers of the current generation run and are ready.
        ReceiverReady,
        /// True when the route exists, no other resource holds the host, and whoever serves
        /// routes has accepted it.
        RouteReady,
        /// True when the public URL answered a probe as Meta needs it. Unknown where it cannot be seen from
        /// inside the cluster. Never blocks Ready.
        EndpointReady,
        /// True when signed events arrive. Never blocks Ready.
        Receiving,
        /// True while the cluster is not yet what the resource says (kstatus).
        Reconciling,
        /// True when nothing will change until someone changes something (kstatus).
        Stalled,
    }
}

words! {
    /// Why a condition is what it is.
    Reason {
        /// Not looked at yet.
        Pending,
        /// The resource is suspended.
        Suspended,
        /// Everything is ready.
        AllReady,
        /// An object of a name we need belongs to someone else.
        NameConflict,
        /// The Kubernetes API refused a request.
        ApiRefused,

        /// Every referenced Secret and key exists.
        SecretsFound,
        /// A referenced Secret does not exist.
        SecretNotFound,
        /// A referenced Secret has no such key.
        SecretKeyNotFound,
        /// A Secret's value cannot be used, for example because it is empty.
        SecretInvalid,
        /// The operator was told to read no Secrets: whether they are right shows in the receivers.
        Unchecked,

        /// The stream is as it should be.
        StreamFound,
        /// The broker cannot be reached.
        BrokerUnreachable,
        /// The broker refused the credentials or a permission.
        BrokerDenied,
        /// The external stream does not exist.
        StreamNotFound,
        /// The stream has settings that lose events or forget ids early.
        StreamUnsafe,
        /// The stream needs a change that JetStream cannot make, or that would delete events.
        StreamImmutable,
        /// The stream belongs to another resource.
        OwnedByOther,
        /// The stream is full and refuses events.
        StreamFull,
        /// The receivers check the stream: the operator does not connect to this broker.
        CheckedByReceivers,
        /// JetStream refused to make or to change the stream, for example for lack of room.
        StreamRefused,

        /// All receivers are ready.
        RolledOut,
        /// Receivers of a new generation are starting.
        RollingOut,
        /// Receivers of another version of the operator wait until other webhooks have rolled.
        RolloutQueued,
        /// Fewer receivers are ready than should be.
        Unavailable,
        /// The image is not one the operator's flags allow.
        ImageNotAllowed,
        /// An annotation, a label, an environment variable, a NATS server or an issuer is not one the operator's
        /// flags allow.
        SettingNotAllowed,

        /// The route is accepted.
        RouteAccepted,
        /// The route waits to be accepted.
        RoutePending,
        /// The route was refused by the Gateway or has no address.
        RouteRefused,
        /// Another resource holds the same host and path, or one of another namespace the host.
        HostConflict,
        /// The namespace may not use the host.
        HostNotAllowed,
        /// The cluster lacks a kind the route needs: HTTPRoute or Certificate.
        KindNotInstalled,
        /// The certificate is not issued yet, or its Secret does not exist.
        CertificatePending,
        /// Nothing says where the certificate comes from.
        TLSNotConfigured,

        /// The public URL answered as Meta needs it.
        Reachable,
        /// The public URL cannot be seen from inside the cluster.
        NotVisible,
        /// The host has no address.
        DnsFailed,
        /// No connection to the host's address.
        ConnectFailed,
        /// The certificate is of an unknown authority, or an intermediate one is not sent along.
        ChainIncomplete,
        /// The certificate is of other hosts.
        HostnameMismatch,
        /// The certificate has expired, or is not valid yet.
        CertificateExpired,
        /// The server speaks no TLS that Meta takes.
        TLSVersionTooOld,
        /// TLS failed in another way.
        TlsRefused,
        /// The certificate expires soon.
        CertificateExpiring,
        /// Something else answered at the URL.
        WrongAnswer,
        /// A body as large as Meta's may be does not get through to the receivers.
        BodyTooLarge,

        /// Meta has not verified the callback URL yet.
        AwaitingHandshake,
        /// Meta has verified the callback URL and not sent an event yet.
        AwaitingFirstEvent,
        /// Signed events arrive.
        EventsArriving,
        /// Requests arrive and none has a right signature: the app secret is likely wrong.
        SignaturesWrong,

        /// Work is going on.
        Progressing,
        /// The cluster is what the resource says.
        UpToDate,
        /// The resource cannot be followed as it is written.
        InvalidSpec,
    }
}

impl ConditionType {
    /// The conditions that make up Ready, in the order their reasons are shown.
    pub const BLOCKING: [Self; 4] = [
        Self::SecretsReady,
        Self::StreamReady,
        Self::ReceiverReady,
        Self::RouteReady,
    ];

    /// The reasons this condition can have of its own. All but Ready, Reconciling and Stalled can also be
    /// [`Reason::Pending`], and Ready and Stalled borrow the reasons of others.
    pub const fn reasons(self) -> &'static [Reason] {
        use Reason as R;
        match self {
            Self::Ready => &[R::AllReady, R::Suspended],
            Self::SecretsReady => &[
                R::Pending,
                R::SecretsFound,
                R::SecretNotFound,
                R::SecretKeyNotFound,
                R::SecretInvalid,
                R::Unchecked,
                R::NameConflict,
                R::ApiRefused,
            ],
            Self::StreamReady => &[
                R::Pending,
                R::StreamFound,
                R::BrokerUnreachable,
                R::BrokerDenied,
                R::StreamNotFound,
                R::StreamUnsafe,
                R::StreamImmutable,
                R::OwnedByOther,
                R::StreamFull,
                R::CheckedByReceivers,
                R::StreamRefused,
                R::SettingNotAllowed,
            ],
            Self::ReceiverReady => &[
                R::Pending,
                R::RolledOut,
                R::RollingOut,
                R::RolloutQueued,
                R::Unavailable,
                R::ImageNotAllowed,
                R::SettingNotAllowed,
                R::NameConflict,
                R::ApiRefused,
                R::Suspended,
            ],
            Self::RouteReady => &[
                R::Pending,
                R::RouteAccepted,
                R::RoutePending,
                R::RouteRefused,
                R::HostConflict,
                R::HostNotAllowed,
                R::KindNotInstalled,
                R::CertificatePending,
                R::TLSNotConfigured,
                R::SettingNotAllowed,
                R::NameConflict,
                R::ApiRefused,
            ],
            Self::EndpointReady => &[
                R::Pending,
                R::Reachable,
                R::NotVisible,
                R::DnsFailed,
                R::ConnectFailed,
                R::ChainIncomplete,
                R::HostnameMismatch,
                R::CertificateExpired,
                R::TLSVersionTooOld,
                R::TlsRefused,
                R::CertificateExpiring,
                R::WrongAnswer,
                R::BodyTooLarge,
                R::HostConflict,
                R::Unchecked,
                R::Suspended,
            ],
            Self::Receiving => &[
                R::Pending,
                R::AwaitingHandshake,
                R::AwaitingFirstEvent,
                R::EventsArriving,
                R::SignaturesWrong,
                R::Suspended,
            ],
            Self::Reconciling => &[R::Progressing, R::UpToDate],
            Self::Stalled => &[R::InvalidSpec, R::UpToDate],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_belongs_to_a_condition() {
        let used: BTreeSet<_> = ConditionType::ALL
            .iter()
            .flat_map(|kind| kind.reasons())
            .collect();
        for reason in Reason::ALL {
            assert!(used.contains(reason), "{reason} is not used");
        }
    }

    /// Kubernetes, API conventions: a reason is one CamelCase word; Events take at most 128 characters.
    #[test]
    fn words_are_camel_case_and_short() {
        let kinds = ConditionType::ALL.iter().map(|kind| kind.as_str());
        for word in kinds.chain(Reason::ALL.iter().map(|reason| reason.as_str())) {
            assert!(word.starts_with(|c: char| c.is_ascii_uppercase()), "{word}");
            assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric()) && word.len() <= 128);
        }
    }

    #[test]
    fn a_condition_can_say_good_and_bad() {
        for kind in ConditionType::ALL {
            let reasons: BTreeSet<_> = kind.reasons().iter().collect();
            assert_eq!(reasons.len(), kind.reasons().len(), "{kind} lists a reason twice");
            assert!(reasons.len() > 1, "{kind}");
        }
    }
}
