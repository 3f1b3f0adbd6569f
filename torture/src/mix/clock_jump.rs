//! The receiver's clock (`CLOCK_REALTIME`) jumps, by a library between the program and the C library. The receiver measures
//! every time with the clock that cannot be set (`CLOCK_MONOTONIC`); the one that can it uses for what it shows alone: the time
//! received in an event's header, and times on `/health` and `/status`. The broker's clock is not moved: nats-server asks the
//! kernel itself, and its duplicate window follows its own clock (docs/durability.md).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::time::sleep;
use wahook_testbed::meta::raw_http;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::ReceiverProcess;

use super::{Mix, Outcome, Scene};
use crate::error::{Result, TortureError};
use crate::trial::Ground;

const SHIM: &str = include_str!("clock_jump.c");
const HOUR: i64 = 3600;
/// By how much, in seconds: within the window, beyond it, back, further back than the stream is old, years ahead, and right
/// again.
const JUMPS: [i64; 6] = [HOUR, 25 * HOUR, -HOUR, -200 * HOUR, 5 * 8766 * HOUR, 0];
/// How long each lasts.
const EACH: Duration = Duration::from_millis(300);

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let directory = tempfile::tempdir().map_err(TortureError::io("make a directory"))?;
    let Some(shim) = compile(directory.path())? else {
        return Ok(Outcome::Skipped(
            "there is no C compiler `cc` to build the clock with".to_owned(),
        ));
    };
    let clock = directory.path().join("clock");
    let set = |seconds: i64| {
        let next = directory.path().join("next");
        let written =
            std::fs::write(&next, seconds.to_string()).and_then(|()| std::fs::rename(&next, &clock));
        written.map_err(TortureError::io("set the clock"))
    };
    set(0)?;
    let scene = Scene::new(mix, ground);
    let broker = NatsServer::start().await?;
    let setup = scene
        .setup(vec![broker.url()])
        .env("LD_PRELOAD", &shim.to_string_lossy())
        .env("WAHOOK_CLOCK", &clock.to_string_lossy());
    let member = scene.join(&setup).await?;
    let strikes = scene.each_strike(async || {
        for jump in JUMPS {
            set(jump)?;
            let ahead = ahead(&member.receiver).await?;
            if (ahead - jump).abs() > 5 {
                let problem = format!("the receiver's clock is {ahead} s ahead, it was set to {jump}");
                return Err(TortureError::Unmet(problem));
            }
            sleep(EACH).await;
        }
        Ok(())
    });
    scene.run_on(&broker, &setup, strikes).await
}

/// Builds the library; `None` where there is no compiler.
fn compile(directory: &Path) -> Result<Option<PathBuf>> {
    let (source, library) = (directory.join("clock.c"), directory.join("clock.so"));
    std::fs::write(&source, SHIM).map_err(TortureError::io("write the clock"))?;
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .output();
    match built {
        Ok(output) if output.status.success() => Ok(Some(library)),
        Ok(output) => Err(TortureError::Unmet(format!(
            "the clock does not compile: {}",
            String::from_utf8_lossy(&output.stderr)
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TortureError::io("run cc")(error)),
    }
}

/// How many seconds the receiver's clock is ahead of ours.
async fn ahead(receiver: &ReceiverProcess) -> Result<i64> {
    let request = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = raw_http(receiver.address(), request, Duration::from_secs(5)).await;
    let answer = answer.map_err(TortureError::io("ask for the time"))?;
    let told = answer.and_then(|answer| serde_json::from_slice::<Value>(&answer.body).ok());
    let told = told.and_then(|json| json["timestamp"].as_str()?.parse::<jiff::Timestamp>().ok());
    let told = told.ok_or_else(|| TortureError::Unmet("/health tells no time".to_owned()))?;
    let ours = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(told.as_second() - i64::try_from(ours.as_secs()).unwrap_or(i64::MAX))
}
