//! Which cluster a command works on: one of our own, or the user's.

use std::env;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use wahook_testbed::kube;

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    /// The existing one if KUBECONFIG is set, else our own
    Auto,
    /// Our own, whatever KUBECONFIG says
    Own,
    /// The one of KUBECONFIG or ~/.kube/config
    Existing,
}

/// What is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cluster {
    /// The one in this directory.
    Own(PathBuf),
    /// The one that this kubeconfig leads to.
    Existing(PathBuf),
}

/// There is no cluster to use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChoiceError {
    /// No kubeconfig.
    #[error("there is no cluster to use: neither KUBECONFIG nor ~/.kube/config names a file that exists")]
    NoKubeconfig,
    /// No home for a cluster.
    #[error("there is no place for a cluster: set HOME or WAHOOK_CACHE, or name one with --directory")]
    NoDirectory,
}

impl Choice {
    /// The cluster to use. KUBECONFIG may name our own, as `cluster up` tells people to set it.
    pub(crate) fn cluster(self, directory: &Path) -> Result<Cluster, ChoiceError> {
        let named = env::var_os("KUBECONFIG").is_some_and(|value| !value.is_empty());
        self.decide(directory, named, kube::existing())
    }

    fn decide(
        self,
        directory: &Path,
        named: bool,
        existing: Option<PathBuf>,
    ) -> Result<Cluster, ChoiceError> {
        let own = || Cluster::Own(directory.to_owned());
        match (self, existing) {
            (Self::Own, _) | (Self::Auto, None) => Ok(own()),
            (Self::Auto, Some(_)) if !named => Ok(own()),
            (Self::Existing, None) => Err(ChoiceError::NoKubeconfig),
            (Self::Auto | Self::Existing, Some(path)) if path.parent() == Some(directory) => Ok(own()),
            (Self::Auto | Self::Existing, Some(path)) => Ok(Cluster::Existing(path)),
        }
    }
}

/// Where our own cluster lives unless told otherwise: beside what was built for it.
pub(crate) fn default_directory() -> Result<PathBuf, ChoiceError> {
    wahook_testbed::cache_directory()
        .map(|cache| cache.join("cluster"))
        .ok_or(ChoiceError::NoDirectory)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_users_cluster_is_used_when_it_is_named_and_ours_when_it_is_ours() {
        let ours = Path::new("/cache/cluster");
        let own = Cluster::Own(ours.to_owned());
        let theirs = || Some(PathBuf::from("/home/me/.kube/config"));
        let used = Cluster::Existing("/home/me/.kube/config".into());
        for (choice, named, existing, expected) in [
            (Choice::Auto, false, None, &own),
            (Choice::Auto, false, theirs(), &own),
            (Choice::Auto, true, theirs(), &used),
            (Choice::Auto, true, Some(ours.join("kubeconfig")), &own),
            (Choice::Own, true, theirs(), &own),
            (Choice::Existing, false, theirs(), &used),
        ] {
            assert_eq!(&choice.decide(ours, named, existing).unwrap(), expected);
        }
        assert!(Choice::Existing.decide(ours, true, None).is_err());
    }
}
