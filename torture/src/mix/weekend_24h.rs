//! The bad weekend with the window that is the default: what was stored in part is stored again, and counted.

use super::weekend::weekend;
use super::{Mix, Outcome};
use crate::error::Result;
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    weekend(mix, ground, 24).await
}
