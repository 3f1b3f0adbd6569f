//! A way for packets between pods through chains that drop whatever the machine forwards.
//!
//! Docker makes such a chain, and so do firewalls. No other table can overrule it: the way has to be in the chain itself. It
//! is for the node's own addresses only, marked as the node's, and taken away with it.

use serde_json::Value;

use super::command::run;
use super::error::KubeError;
use super::host::Host;
use super::network::{NAME, WHOLE_RANGE};

/// A chain or a rule in it, as words of a command.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    family: String,
    table: String,
    chain: String,
    /// The rule's number, where it is one.
    handle: Option<u64>,
}

/// Makes a way through every chain that drops by default, where there is none yet.
pub(crate) async fn open(host: &Host) -> Result<(), KubeError> {
    close(host).await?;
    let rules = run(&host.nft, &["--json", "list", "ruleset"]).await?;
    for place in dropping(&rules) {
        let (family, table, chain) = (&*place.family, &*place.table, &*place.chain);
        let mut words = vec!["insert", "rule", family, table, chain];
        words.extend(["ip", "saddr", WHOLE_RANGE, "ip", "daddr", WHOLE_RANGE, "accept"]);
        words.extend(["comment", NAME]);
        run(&host.nft, &words).await?;
    }
    Ok(())
}

/// Takes every way away again.
pub(crate) async fn close(host: &Host) -> Result<(), KubeError> {
    let rules = run(&host.nft, &["--json", "--handle", "list", "ruleset"]).await?;
    for place in ours(&rules) {
        let handle = place.handle.unwrap_or_default().to_string();
        let (family, table, chain) = (&*place.family, &*place.table, &*place.chain);
        run(
            &host.nft,
            &["delete", "rule", family, table, chain, "handle", &handle],
        )
        .await?;
    }
    Ok(())
}

/// The chains that drop what is forwarded unless a rule says otherwise.
fn dropping(rules: &str) -> Vec<Place> {
    let all = listed(rules, "chain");
    let drops = |chain: &&Value| {
        chain["hook"] == "forward"
            && chain["policy"] == "drop"
            && (chain["family"] == "ip" || chain["family"] == "inet")
    };
    all.iter()
        .filter(drops)
        .map(|chain| place(chain, "name"))
        .collect()
}

fn ours(rules: &str) -> Vec<Place> {
    let all = listed(rules, "rule");
    let ours = all.iter().filter(|rule| rule["comment"] == NAME);
    ours.map(|rule| place(rule, "chain")).collect()
}

fn place(object: &Value, chain: &str) -> Place {
    let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
    Place {
        family: text("family"),
        table: text("table"),
        chain: text(chain),
        handle: object["handle"].as_u64(),
    }
}

/// The objects of a kind in `nft --json list ruleset`.
fn listed(rules: &str, kind: &str) -> Vec<Value> {
    let rules: Value = serde_json::from_str(rules).unwrap_or_default();
    let all = rules["nftables"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    all.iter()
        .filter_map(|object| object.get(kind).cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"{"nftables":[{"metainfo":{"version":"1.1"}},
        {"table":{"family":"ip","name":"filter","handle":1}},
        {"chain":{"family":"ip","table":"filter","name":"FORWARD","handle":2,"type":"filter","hook":"forward","prio":0,"policy":"drop"}},
        {"chain":{"family":"ip","table":"filter","name":"INPUT","handle":3,"type":"filter","hook":"input","prio":0,"policy":"drop"}},
        {"chain":{"family":"ip6","table":"filter","name":"FORWARD","handle":2,"type":"filter","hook":"forward","prio":0,"policy":"drop"}},
        {"rule":{"family":"ip","table":"filter","chain":"FORWARD","handle":9,"comment":"wahook-testbed","expr":[]}},
        {"rule":{"family":"ip","table":"filter","chain":"FORWARD","handle":10,"comment":"somebody else","expr":[]}}]}"#;

    #[test]
    fn only_what_drops_forwarded_packets_is_opened_and_only_our_rules_are_closed() {
        let of = |handle| Place {
            family: "ip".to_owned(),
            table: "filter".to_owned(),
            chain: "FORWARD".to_owned(),
            handle: Some(handle),
        };
        assert_eq!(dropping(RULES), [of(2)]);
        assert_eq!(ours(RULES), [of(9)]);
        assert!(dropping("").is_empty(), "no rules at all");
    }
}
