//! The wires of pods, as far as the machine sees them, and the routes on them.
//!
//! A wire goes with the network namespace behind it, and that may outlive every process of the pod: a connection whose
//! other end is gone keeps it for a minute or two. Meanwhile the wire has the route to the pod's address. The plugin gives
//! the same address to a pod of the next node, takes the route that is there for its own and says that all is well: that
//! pod is cut off, for good. So wires are taken away with their node, and none may be there before one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::command::run;
use super::error::KubeError;
use super::host::Host;
use super::network::{DEVICE, NODE_ADDRESS, WHOLE_RANGE};

/// How long the kernel may take to forget a device.
const LIMIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Deletes every wire. Its other end goes with it, whoever keeps the namespace that it is in.
pub(crate) async fn take_away(host: &Host) -> Result<(), KubeError> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let mut refusal = None;
        for wire in carrying_the_address(host).await? {
            // The kernel may be at it at this very moment: the next look decides.
            refusal = run(&host.ip, &["link", "delete", "dev", &wire]).await.err();
        }
        match (carrying_the_address(host).await?.is_empty(), refusal) {
            (true, _) => return Ok(()),
            (false, Some(refusal)) if Instant::now() >= deadline => return Err(refusal),
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// Fails when anything but the node's own device has addresses or routes of the node's network.
pub(crate) async fn expect_none(host: &Host) -> Result<(), KubeError> {
    let mut devices = carrying_the_address(host).await?;
    let routes = run(&host.ip, &["-json", "route", "show", "root", WHOLE_RANGE]).await?;
    devices.extend(routed(&routes));
    if devices.is_empty() {
        return Ok(());
    }
    Err(KubeError::NetworkTaken {
        devices: devices.into_iter().collect(),
    })
}

async fn carrying_the_address(host: &Host) -> Result<BTreeSet<String>, KubeError> {
    let address = NODE_ADDRESS.to_string();
    let links = run(&host.ip, &["-json", "address", "show", "to", &address]).await?;
    Ok(carrying(&links, &address))
}

/// The devices in `ip -json address` that have the address. Some versions list the others too, as empty objects.
fn carrying(links: &str, address: &str) -> BTreeSet<String> {
    let has_it = |link: &Value| {
        let addresses = link["addr_info"].as_array();
        addresses.is_some_and(|all| all.iter().any(|one| one["local"] == address))
    };
    let links = listed(links).into_iter().filter(has_it);
    strangers(links.filter_map(|link| link["ifname"].as_str().map(str::to_owned)))
}

/// The devices in `ip -json route`.
fn routed(routes: &str) -> BTreeSet<String> {
    let routes = listed(routes).into_iter();
    strangers(routes.filter_map(|route| route["dev"].as_str().map(str::to_owned)))
}

fn strangers(devices: impl Iterator<Item = String>) -> BTreeSet<String> {
    devices.filter(|device| device != DEVICE).collect()
}

/// Where nothing is to be listed, some versions print nothing at all.
fn listed(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wires_are_told_from_the_nodes_own_device_and_from_others() {
        let links = r#"[{},
            {"ifname":"wahook0","addr_info":[{"local":"10.254.0.1","prefixlen":32}]},
            {"ifname":"eth0","addr_info":[{"local":"192.0.2.2","prefixlen":24}]},
            {"ifname":"veth77","link_index":2,"addr_info":[{"local":"10.254.0.1","prefixlen":32},{"local":"fe80::1"}]}]"#;
        assert_eq!(carrying(links, "10.254.0.1"), ["veth77".to_owned()].into());
        assert!(carrying("", "10.254.0.1").is_empty());
    }

    #[test]
    fn routes_of_others_into_the_range_are_seen() {
        let routes =
            r#"[{"dst":"10.254.0.15","dev":"veth77","scope":"host"},{"dst":"10.254.7.0/24","dev":"tun0"}]"#;
        assert_eq!(routed(routes), ["tun0".to_owned(), "veth77".to_owned()].into());
        assert!(routed("[ ]").is_empty());
    }
}
