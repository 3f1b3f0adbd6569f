//! The programs, each of one version.

use super::{Main, Tool};

/// Helm 4, which the chart is tested with in full.
pub const HELM: Tool = Tool {
    name: "helm",
    package: "helm.sh/helm/v4/cmd/helm",
    version: "4.3.1",
    variable: "WAHOOK_HELM",
    linker: "-X helm.sh/helm/v4/internal/version.version=v4.3.1",
    tags: "",
    main: Main::Own,
};

/// Helm 3, which many still have.
pub const HELM_3: Tool = Tool {
    name: "helm",
    package: "helm.sh/helm/v3/cmd/helm",
    version: "3.22.0",
    variable: "WAHOOK_HELM_3",
    linker: "-X helm.sh/helm/v3/internal/version.version=v3.22.0",
    tags: "",
    main: Main::Own,
};

/// Checks manifests against schemas.
pub const KUBECONFORM: Tool = Tool {
    name: "kubeconform",
    package: "github.com/yannh/kubeconform/cmd/kubeconform",
    version: "0.8.0",
    variable: "WAHOOK_KUBECONFORM",
    linker: "-X main.version=v0.8.0",
    tags: "",
    main: Main::Own,
};

/// Runs the containers of a node.
pub const CONTAINERD: Tool = Tool {
    name: "containerd",
    package: "github.com/containerd/containerd/v2/cmd/containerd",
    version: "2.4.2",
    variable: "WAHOOK_CONTAINERD",
    linker: "-X github.com/containerd/containerd/v2/version.Version=v2.4.2",
    tags: "",
    main: Main::Own,
};

/// What containerd starts once for every pod.
pub const CONTAINERD_SHIM: Tool = Tool {
    name: "containerd-shim-runc-v2",
    package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
    version: "2.4.2",
    variable: "WAHOOK_CONTAINERD_SHIM",
    linker: "-X github.com/containerd/containerd/v2/version.Version=v2.4.2",
    tags: "",
    main: Main::Own,
};

/// Talks to containerd; imports images.
pub const CTR: Tool = Tool {
    name: "ctr",
    package: "github.com/containerd/containerd/v2/cmd/ctr",
    version: "2.4.2",
    variable: "WAHOOK_CTR",
    linker: "-X github.com/containerd/containerd/v2/version.Version=v2.4.2",
    tags: "",
    main: Main::Own,
};

/// The name server of a cluster.
pub const COREDNS: Tool = Tool {
    name: "coredns",
    package: "github.com/coredns/coredns",
    version: "1.12.4",
    variable: "WAHOOK_COREDNS",
    linker: "-X github.com/coredns/coredns/coremain.GitCommit=1.12.4",
    tags: "",
    main: Main::Own,
};

/// Checks workflows of GitHub Actions.
pub const ACTIONLINT: Tool = Tool {
    name: "actionlint",
    package: "github.com/rhysd/actionlint/cmd/actionlint",
    version: "1.7.12",
    variable: "WAHOOK_ACTIONLINT",
    linker: "-X github.com/rhysd/actionlint.version=1.7.12",
    tags: "",
    main: Main::Own,
};

/// Checks rules and metrics, and tests alerts. Prometheus 3.10.
pub const PROMTOOL: Tool = Tool {
    name: "promtool",
    package: "github.com/prometheus/prometheus/cmd/promtool",
    version: "0.310.0",
    variable: "WAHOOK_PROMTOOL",
    linker: "-X github.com/prometheus/common/version.Version=3.10.0",
    tags: PROMETHEUS_TAGS,
    main: Main::Directory("github.com/prometheus/prometheus"),
};

/// NATS' own command line, with which runbooks look at a stream.
pub const NATS_CLI: Tool = Tool {
    name: "nats",
    package: "github.com/nats-io/natscli/nats",
    version: "0.5.1",
    variable: "WAHOOK_NATS_CLI",
    linker: "",
    tags: "",
    main: Main::Own,
};

/// Reads metrics, evaluates rules, tells Alertmanager. Of PROMTOOL's version.
pub const PROMETHEUS: Tool = Tool {
    name: "prometheus",
    package: "github.com/prometheus/prometheus/cmd/prometheus",
    variable: "WAHOOK_PROMETHEUS",
    ..PROMTOOL
};

/// Groups what Prometheus alerts about, and passes it on.
pub const ALERTMANAGER: Tool = Tool {
    name: "alertmanager",
    package: "github.com/prometheus/alertmanager/cmd/alertmanager",
    version: "0.31.1",
    variable: "WAHOOK_ALERTMANAGER",
    linker: "-X github.com/prometheus/common/version.Version=0.31.1",
    tags: "",
    main: Main::Own,
};

/// Without the clients of every cloud, which would be most of the build. Its pages are not built in either: they need Node.
const PROMETHEUS_TAGS: &str = "remove_all_sd,enable_kubernetes_sd";

/// Evaluates the monitoring mixin.
pub const JSONNET: Tool = Tool {
    name: "jsonnet",
    package: "github.com/google/go-jsonnet/cmd/jsonnet",
    version: "0.22.0",
    variable: "WAHOOK_JSONNET",
    linker: "",
    tags: "",
    main: Main::Own,
};

/// Turns `ServiceMonitor` and `PrometheusRule` into the configuration of a Prometheus.
pub const PROMETHEUS_OPERATOR: Tool = Tool {
    name: "operator",
    package: "github.com/prometheus-operator/prometheus-operator/cmd/operator",
    version: "0.85.0",
    variable: "WAHOOK_PROMETHEUS_OPERATOR",
    linker: "-X github.com/prometheus/common/version.Version=0.85.0",
    tags: "",
    main: Main::Fresh,
};
