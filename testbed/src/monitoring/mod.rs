//! Prometheus and Alertmanager of one exact version as child processes on loopback, and a server that Alertmanager tells.
//!
//! The way of an alert: a target is scraped by [`Prometheus`], a rule fires, [`Alertmanager`] groups it, and
//! [`Catcher`] notes it with the time.

mod alertmanager;
mod catcher;
mod error;
mod prometheus;
mod server;

pub use alertmanager::{Alertmanager, GROUP_WAIT};
pub use catcher::{Catcher, Notice};
pub use error::MonitoringError;
pub use prometheus::{Prometheus, PrometheusOptions};
