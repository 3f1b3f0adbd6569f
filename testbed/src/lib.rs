//! Real parts for tests and for `cargo xtask demo`. Nothing here ships.
//!
//! | module | what it gives |
//! |---|---|
//! | [`nats`] | a NATS server of one exact version: found or installed, started, broken on purpose, stopped; clusters; TLS; credentials |
//! | [`kube`] | a Kubernetes control plane: built once, started, restarted, stopped; with an audit log and users |
//! | [`collector`] | a collector of traces that keeps what it gets, or takes nothing |
//! | [`graph`] | Meta's Graph API: takes messages and tells of them, hands out media whose addresses expire |
//! | [`hostile_broker`] | a NATS stand-in that answers each publish the way a script says |
//! | [`image`] | container images in an archive, from a static program, without an engine |
//! | [`manual`] | what of the manual tests hold against what comes out |
//! | [`meta`] | a client that signs and posts as Meta does, and one that writes whatever bytes it is told |
//! | [`monitoring`] | Prometheus and Alertmanager as child processes, and who is told about alerts |
//! | [`proxy`] | a TCP proxy that delays, silences and cuts a link |
//! | [`process`] | the receiver as a child process |
//! | [`setting`] | what something was measured on |
//! | [`stream`] | what a JetStream stream holds |
//! | [`tools`] | helm and other programs of one exact version each, built once |
//! | [`wheel`] | programs that only `PyPI` has, pinned by digest |
//!
//! Every child process belongs to a value; dropping the value, also while a test panics, ends that process and no
//! other.

pub mod child;
pub mod collector;
pub mod graph;
pub mod hostile_broker;
pub mod image;
pub mod kube;
pub mod log;
pub mod manual;
pub mod meta;
pub mod monitoring;
pub mod nats;
pub mod port;
pub mod process;
pub mod proxy;
pub mod room;
pub mod setting;
pub mod stream;
pub mod tools;
pub mod wheel;

pub use nats::cache_directory;
