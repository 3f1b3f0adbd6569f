//! The broker's disk is full: writes fail (ENOSPC), and nats-server gives JetStream up until it is started again. The disk is a
//! small file system in memory, which root alone may make.

use wahook_testbed::nats::NatsServer;

use super::{Mix, Outcome, Scene};
use crate::disk::{Disk, DiskError};
use crate::error::{Result, TortureError};
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let disk = match Disk::mount(ground.stream_bytes()) {
        Ok(disk) => disk,
        Err(DiskError::NotAllowed(why)) => return Ok(Outcome::Skipped(why)),
        Err(DiskError::Io(source)) => return Err(TortureError::io("make a small disk")(source)),
    };
    let scene = Scene::new(mix, ground);
    // More than there is: it is the disk that is full, not the broker's own limit.
    let broker = NatsServer::builder().store(disk.path().join("store"));
    let broker = broker.max_file_bytes(ground.stream_bytes() * 16).start().await?;
    let setup = scene.setup(vec![broker.url()]);
    let _member = scene.join(&setup).await?;
    let strikes = scene.each_strike(async || {
        disk.fill().map_err(TortureError::io("fill the disk"))?;
        scene.until_full().await?;
        if !broker.log().says("no space left on device").await {
            let tail = broker.log().tail(10);
            return Err(TortureError::Unmet(format!(
                "the broker did not see a full disk:\n{tail}"
            )));
        }
        disk.make_room()
            .map_err(TortureError::io("make room on the disk"))?;
        broker.restart().await?;
        scene.until_taken_again().await
    });
    scene.run_on(&broker, &setup, strikes).await
}
