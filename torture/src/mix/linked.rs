//! A broker and a receiver with a proxy before each: the link to the broker, and the link to the receiver.

use std::net::{Ipv4Addr, SocketAddr};

use wahook_testbed::nats::NatsServer;
use wahook_testbed::proxy::FaultProxy;

use super::scene::{Member, Scene};
use crate::error::{Result, TortureError};
use crate::house::Setup;

/// One of each, and the links between.
pub struct Linked {
    /// The broker itself.
    pub broker: NatsServer,
    /// What the receiver connects to.
    pub to_broker: FaultProxy,
    /// How the receiver was set up.
    pub setup: Setup,
    /// The receiver itself.
    pub member: Member,
    /// What deliveries are sent to.
    pub to_receiver: FaultProxy,
}

impl Linked {
    /// Starts both; deliveries go to the receiver by its link. `adapt` may change how it is set up.
    ///
    /// # Errors
    /// When one of them does not start.
    pub async fn start(scene: &Scene<'_>, adapt: impl FnOnce(Setup) -> Setup) -> Result<Self> {
        let broker = NatsServer::start().await?;
        let to_broker = link((Ipv4Addr::LOCALHOST, broker.port()).into()).await?;
        let setup = adapt(scene.setup(vec![format!("nats://{}", to_broker.address())]));
        let receiver = setup.start().await?;
        let to_receiver = link(receiver.address()).await?;
        let number = scene.enter_by(&receiver, to_receiver.address())?;
        Ok(Self {
            broker,
            to_broker,
            setup,
            member: Member { receiver, number },
            to_receiver,
        })
    }
}

async fn link(to: SocketAddr) -> Result<FaultProxy> {
    FaultProxy::start(to)
        .await
        .map_err(TortureError::io("start a proxy"))
}
