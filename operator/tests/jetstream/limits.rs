//! Full streams, brokers without room, copies that a broker cannot keep.

use wahook_crds::conditions::Reason;
use wahook_operator::jetstream::StreamReport;
use wahook_testbed::nats::NatsServer;

use super::common::*;

#[tokio::test]
async fn a_full_stream_and_a_full_bucket_are_told_and_heal_by_growing() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, mut plan, owner) = (broker(&nats.url()), plan("full"), owner("full"));
    good(&broker, &plan, &owner).await;
    let mut acknowledged = 0;
    loop {
        let sent = context
            .publish("whatsapp.test.full.1.messages.text.0", vec![b'x'; 30_000].into())
            .await;
        match sent.unwrap().await {
            Ok(_) => acknowledged += 1,
            Err(_) => break,
        }
    }
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::StreamFull, "{report:?}");
    assert!(report.message.contains("nats.stream.maxBytes"), "{report:?}");
    let usage = report.usage.unwrap();
    assert!(
        usage.bytes > 4_000_000 && usage.limit == Some(4 << 20),
        "{usage:?}"
    );
    plan.spec.max_bytes = 6 * MIB;
    good(&broker, &plan, &owner).await;
    publish(&context, "full", 1, 100).await;
    assert_eq!(
        info(&context, "whatsapp_test_full").await.state.messages,
        acknowledged + 1
    );

    let bucket = context.get_object_store(&plan.spec.bucket).await.unwrap();
    bucket
        .put("one", &mut vec![b'x'; 6_250_000].as_slice())
        .await
        .unwrap();
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::StreamFull, "{report:?}");
    assert!(
        report.message.starts_with("bucket whatsapp_test_full_objects"),
        "{report:?}"
    );
}

#[tokio::test]
async fn what_does_not_fit_on_the_broker_is_refused_with_the_next_step() {
    let nats = NatsServer::builder()
        .max_file_bytes(10 * MIB as u64)
        .start()
        .await
        .unwrap();
    let (broker, mut plan, owner) = (broker(&nats.url()), plan("small"), owner("small"));
    plan.spec.max_bytes = 6 * MIB;
    // The stream fits and the bucket no more.
    let report = broker.look_after(&plan, &owner).await;
    assert_eq!(report.reason, Reason::StreamRefused, "{report:?}");
    assert!(
        report.message.contains("bucket whatsapp_test_small_objects"),
        "{report:?}"
    );
    assert!(report.message.contains("nats.stream.maxBytes"), "{report:?}");
    assert_eq!(report.written, ["created stream whatsapp_test_small"]);
    assert_eq!(report.usage.unwrap().limit, Some(6 << 20));
    // Smaller, as the message says.
    plan.spec.max_bytes = 5 * MIB;
    let report = good(&broker, &plan, &owner).await;
    assert_eq!(report.written.len(), 2, "{report:?}");
    // More than there is; the rest of the change is made.
    (plan.spec.max_bytes, plan.spec.max_age) = (50 * MIB, 9 * DAY);
    let report = broker.look_after(&plan, &owner).await;
    assert_eq!(report.reason, Reason::StreamRefused, "{report:?}");
    assert_eq!(report.written.len(), 2, "{report:?}");
    assert!(
        report.written.iter().all(|what| what.contains("max_age")),
        "{report:?}"
    );
    calm(&broker, &plan, &owner).await;
}

#[tokio::test]
async fn copies_on_a_single_server_are_refused_with_the_next_step() {
    let nats = nats().await;
    let (broker, mut plan, owner) = (broker(&nats.url()), plan("copies"), owner("copies"));
    plan.spec.replicas = Some(3);
    let expect = |report: &StreamReport| {
        assert_eq!(report.reason, Reason::StreamRefused, "{report:?}");
        assert!(report.message.contains("nats.stream.replicas: 1"), "{report:?}");
        assert!(report.message.contains("single server"), "{report:?}");
    };
    expect(&calm(&broker, &plan, &owner).await);
    plan.spec.replicas = Some(1);
    good(&broker, &plan, &owner).await;
    plan.spec.replicas = Some(3);
    expect(&calm(&broker, &plan, &owner).await);
}
