//! The faults of the soak, each over in seconds. The receiver lives through all of them.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::sleep;
use wahook_testbed::meta::{RawConnection, sign};

use crate::error::{Result, TortureError};
use crate::house::SECRET;
use crate::mix::{Linked, Member, Scene};

/// What there is to break.
pub(super) struct Place<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) linked: &'a Linked,
    pub(super) deadline: Duration,
}

/// One fault.
pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) strike: for<'a> fn(&'a Place<'a>) -> Pin<Box<dyn Future<Output = Result> + Send + 'a>>,
}

macro_rules! faults {
    ($($function:ident $name:literal;)*) => {
        pub(super) const FAULTS: &[Fault] =
            &[$(Fault { name: $name, strike: |place| Box::pin($function(place)) }),*];
    };
}

faults! {
    kill_broker "broker killed";
    strangers "strangers";
    stop_receiver "receiver stopped";
    cut_links "links cut";
    stop_broker "broker stopped";
    hang_up "clients hang up";
    silence_broker "link to the broker silent";
    forget_broker "link to the broker half-open";
    slow_broker "link to the broker slow";
}

async fn kill_broker(place: &Place<'_>) -> Result {
    place.linked.broker.kill9()?;
    sleep(Duration::from_secs(1)).await;
    Ok(place.linked.broker.restart().await?)
}

async fn stop_broker(place: &Place<'_>) -> Result {
    place.linked.broker.pause()?;
    sleep(place.deadline + Duration::from_secs(1)).await;
    Ok(place.linked.broker.resume()?)
}

async fn stop_receiver(place: &Place<'_>) -> Result {
    let Member { receiver, number } = &place.linked.member;
    let stopped = place.scene.now();
    receiver.pause()?;
    sleep(Duration::from_secs(3)).await;
    receiver.resume()?;
    place.scene.excuse(*number, stopped..place.scene.now());
    Ok(())
}

async fn cut_links(place: &Place<'_>) -> Result {
    for link in [&place.linked.to_broker, &place.linked.to_receiver] {
        for _ in 0..5 {
            link.cut();
            sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

async fn silence_broker(place: &Place<'_>) -> Result {
    place.linked.to_broker.silence();
    sleep(place.deadline + Duration::from_secs(1)).await;
    place.linked.to_broker.heal();
    Ok(())
}

async fn forget_broker(place: &Place<'_>) -> Result {
    place.linked.to_broker.forget();
    place.scene.until_failed(1).await
}

async fn slow_broker(place: &Place<'_>) -> Result {
    place.linked.to_broker.delay(Duration::from_secs(2));
    sleep(place.deadline + Duration::from_secs(1)).await;
    place.linked.to_broker.heal();
    Ok(())
}

/// Half requests and whole ones whose sender is gone before the answer.
async fn hang_up(place: &Place<'_>) -> Result {
    // The load's own first event: one that is stored for a sender who left is no other event than that.
    let Some(first) = place.scene.first_delivery() else {
        return Ok(());
    };
    let body = String::from_utf8_lossy(&first.body);
    for n in 0..200_usize {
        let request = request(&body, &sign(SECRET, body.as_bytes()));
        let sent = &request.as_bytes()[..request.len() * (n % 4 + 1) / 4];
        let mut connection = connect(place).await?;
        // It may have closed first: that is what is tried here.
        let _ = connection.write(sent).await;
    }
    Ok(())
}

/// What a public address gets: heads that never end, wrong signatures, what is no HTTP.
async fn strangers(place: &Place<'_>) -> Result {
    let mut waiting = Vec::new();
    for n in 0..100 {
        let mut slow = connect(place).await?;
        let _ = slow.write(b"POST /webhook HTTP/1.1\r\nHost: ").await;
        waiting.push(slow);
        let body = format!(r#"{{"entry":{n}"#);
        for whole in [
            request(&body, &sign("another", body.as_bytes())),
            "\x16\x03\x01 hello\r\n\r\n".to_owned(),
        ] {
            let mut connection = connect(place).await?;
            let _ = connection.write(whole.as_bytes()).await;
            let _ = connection.read_answer(Duration::from_secs(5)).await;
        }
    }
    // As long as it takes until they are closed for their slowness.
    for mut slow in waiting {
        let closed = slow.wait_for_close(Duration::from_secs(15)).await;
        closed.map_err(TortureError::io("wait until a slow head is closed"))?;
    }
    Ok(())
}

async fn connect(place: &Place<'_>) -> Result<RawConnection> {
    let connected = RawConnection::connect(place.linked.member.receiver.address()).await;
    connected.map_err(TortureError::io("connect to the receiver"))
}

fn request(body: &str, signature: &str) -> String {
    format!(
        "POST /webhook HTTP/1.1\r\nHost: hooks\r\nContent-Length: {}\r\nX-Hub-Signature-256: {signature}\r\n\r\n{body}",
        body.len()
    )
}
