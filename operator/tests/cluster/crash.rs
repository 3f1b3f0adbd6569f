//! The operator is cut off before and after every write it makes, and started again: what comes of it is what comes of
//! an undisturbed run, and nothing is created twice.
//!
//! Each case has a namespace, all on one control plane. The resource is changed while no operator runs, so that all
//! writes are the one look's that is cut.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use wahook_crds::WhatsAppWebhook;
use wahook_operator::child::ChildKind;

use crate::support::{
    Cut, Faults, Lab, Options, Running, Snapshot, definition, eventually, install, own, spec,
};

/// How many cases are disturbed at a time.
const AT_ONCE: usize = 8;

/// What is done to a resource while the operator is away.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    /// What was there before, as fields of the spec. Without, nothing was.
    before: Option<fn() -> Value>,
    /// What it becomes.
    after: fn() -> Value,
    /// Whether it is deleted once the operator was cut off.
    deleted: bool,
}

const SCENARIOS: [Scenario; 6] = [
    Scenario {
        name: "create",
        before: None,
        after: || json!({}),
        deleted: false,
    },
    Scenario {
        name: "delete",
        before: None,
        after: || json!({}),
        deleted: true,
    },
    Scenario {
        name: "scale",
        before: Some(|| json!({ "receiver": { "replicas": 5 } })),
        after: || json!({ "receiver": { "replicas": 5, "autoscaling": { "minReplicas": 3 } } }),
        deleted: false,
    },
    Scenario {
        name: "unscale",
        before: Some(|| json!({ "receiver": { "autoscaling": { "minReplicas": 3 } } })),
        after: || json!({ "receiver": { "replicas": 1 } }),
        deleted: false,
    },
    Scenario {
        name: "off",
        before: Some(|| json!({})),
        after: || {
            json!({
                "suspend": true, "networkPolicy": { "enabled": false },
                "monitoring": { "serviceMonitor": { "enabled": false }, "prometheusRule": { "enabled": false } },
            })
        },
        deleted: false,
    },
    Scenario {
        name: "rotate",
        before: Some(|| json!({})),
        after: || {
            json!({ "meta": { "appSecrets": [
                { "name": "meta-app", "key": "app-secret" }, { "name": "meta-app", "key": "other" },
            ] } })
        },
        deleted: false,
    },
];

/// The spec of the webhook that is called as its namespace.
fn with(name: &str, fields: &Value) -> Value {
    let mut all = spec(name);
    for (key, value) in fields.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

fn called(name: &str, spec: Value) -> WhatsAppWebhook {
    WhatsAppWebhook::new(name, serde_json::from_value(spec).unwrap())
}

/// One namespace, whose webhook has its name.
struct Case {
    scenario: Scenario,
    cut: Option<Cut>,
    lab: Lab,
}

impl Case {
    async fn new(first: &Lab, scenario: Scenario, cut: Option<Cut>) -> Self {
        let point = match cut {
            None => "undisturbed".to_owned(),
            Some(Cut::Before(at)) => format!("before-{at}"),
            Some(Cut::After(at)) => format!("after-{at}"),
        };
        let lab = first.beside(&format!("{}-{point}", scenario.name)).await;
        if let Some(before) = scenario.before {
            lab.create(&called(&lab.namespace, with(&lab.namespace, &before())))
                .await;
        }
        Self { scenario, cut, lab }
    }

    /// Makes the change, which no operator sees yet.
    async fn change(&self) {
        let name = &self.lab.namespace;
        let after = with(name, &(self.scenario.after)());
        if self.scenario.before.is_some() {
            self.lab.set_spec(name, &after).await;
        } else {
            self.lab.create(&called(name, after)).await;
        }
    }

    /// Runs an operator until it is cut off. Answers how many writes there were, and whether it came to the cut.
    async fn disturb(&self) -> (usize, bool) {
        let (faults, cut_at) = match self.cut {
            None => (Faults::default(), usize::MAX),
            Some(cut @ (Cut::Before(at) | Cut::After(at))) => (Faults::at(cut), at),
        };
        let operator = self
            .lab
            .operator_with(Options {
                faults: faults.clone(),
                ..Options::default()
            })
            .await;
        let quiet = async {
            let observed = async || {
                let webhook = self.lab.webhooks().get(&self.lab.namespace).await.unwrap();
                let status = webhook
                    .status
                    .as_ref()
                    .and_then(|status| status.observed_generation);
                (status == webhook.metadata.generation).then_some(())
            };
            eventually("the change to be seen", observed).await;
            operator.quiet().await;
        };
        // A write is counted here when its answer has come, or is withheld.
        let cut = async {
            while operator.metrics.writes() < u64::try_from(cut_at).unwrap() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = quiet => {}
            () = cut => {}
        }
        drop(operator);
        (faults.writes(), faults.is_cut())
    }

    async fn outcome(&self, operator: &Running) -> Snapshot {
        let name = &self.lab.namespace;
        Snapshot::take(&self.lab, operator, name).await.of_any_name(name)
    }
}

/// An operator for all namespaces brings all cases to their end.
async fn settle(lab: &Lab, cases: &[Case]) -> Running {
    let operator = lab
        .operator_with(Options {
            all_namespaces: true,
            ..Options::default()
        })
        .await;
    for case in cases {
        let name = &case.lab.namespace;
        let found = case.lab.webhooks().get_opt(name).await.unwrap();
        let Some(found) = found else { continue };
        let generation = found.metadata.generation;
        eventually("the newest generation to be observed", async || {
            let status = case.lab.webhooks().get(name).await.unwrap().status;
            (status.and_then(|status| status.observed_generation) == generation).then_some(())
        })
        .await;
    }
    operator.quiet().await;
    operator
}

async fn prepare(lab: &Lab, wanted: Vec<(Scenario, Option<Cut>)>) -> Vec<Case> {
    let cases: Vec<Case> = stream::iter(wanted)
        .map(|(scenario, cut)| Case::new(lab, scenario, cut))
        .buffered(AT_ONCE)
        .collect()
        .await;
    settle(lab, &cases).await.stop().await;
    for case in &cases {
        case.change().await;
    }
    cases
}

/// Runs all cases up to their cut and beyond it.
async fn run(lab: &Lab, cases: &[Case]) -> (Vec<(usize, bool)>, Running) {
    let disturbed: Vec<(usize, bool)> = stream::iter(cases)
        .map(Case::disturb)
        .buffered(AT_ONCE)
        .collect()
        .await;
    for case in cases.iter().filter(|case| case.scenario.deleted) {
        case.lab.delete(&case.lab.namespace).await;
    }
    let operator = settle(lab, cases).await;
    for case in cases.iter().filter(|case| case.scenario.deleted) {
        eventually("the children to go", async || {
            case.lab.left_of_all().await.is_empty().then_some(())
        })
        .await;
    }
    (disturbed, operator)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_crash_at_any_write_leaves_nothing_behind() {
    let began = Instant::now();
    let lab = Lab::on(own().await, "crash").await;
    for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_optional()) {
        install(&lab.client, &definition(kind)).await;
    }

    let undisturbed = prepare(&lab, SCENARIOS.map(|scenario| (scenario, None)).to_vec()).await;
    let (counts, operator) = run(&lab, &undisturbed).await;
    let mut expected = BTreeMap::new();
    let mut wanted = Vec::new();
    for (case, (writes, _)) in undisturbed.iter().zip(&counts) {
        println!("{}: {writes} writes", case.scenario.name);
        expected.insert(case.scenario.name, case.outcome(&operator).await);
        for at in 1..=*writes {
            wanted.extend([Cut::Before(at), Cut::After(at)].map(|cut| (case.scenario, Some(cut))));
        }
    }
    operator.stop().await;
    assert!(counts.iter().all(|(writes, _)| *writes >= 2), "{counts:?}");

    let cases = prepare(&lab, wanted).await;
    println!("{} cases prepared after {:?}", cases.len(), began.elapsed());
    let (disturbed, operator) = run(&lab, &cases).await;
    println!("all at their end after {:?}", began.elapsed());

    let mut problems = String::new();
    for case in &cases {
        let outcome = case.outcome(&operator).await;
        let expected = &expected[case.scenario.name];
        if outcome != *expected {
            problems += &format!("{}:\n{}", case.lab.namespace, outcome.difference(expected));
        }
    }
    // Statuses follow Kubernetes' own controllers, and may be one fewer in one run than in another.
    let missed: Vec<_> = (cases.iter().zip(&disturbed))
        .filter(|(_, (_, is_cut))| !is_cut)
        .map(|(case, _)| &case.lab.namespace)
        .collect();
    assert!(missed.len() * 8 <= cases.len(), "never reached: {missed:?}");

    let mut created: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for event in lab.plane.audit_events().unwrap() {
        let by_operator = event.user().starts_with("operator-") && event.code() == Some(201);
        let Some(object) = event
            .object_ref
            .filter(|object| by_operator && object.resource != "events")
        else {
            continue;
        };
        // A Secret's name is in the body, and a namespace has one generated Secret.
        *created
            .entry((object.namespace, object.resource, object.name))
            .or_default() += 1;
    }
    assert!(created.len() > cases.len() * 5, "{}", created.len());
    created.retain(|_, times| *times > 1);
    assert!(created.is_empty(), "created twice: {created:?}");
    assert!(problems.is_empty(), "{problems}");
    operator.stop().await;
}
