//! The bad weekend with a window that is longer than Meta repeats: nothing is stored twice.

use super::weekend::weekend;
use super::{Mix, Outcome};
use crate::error::Result;
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    weekend(mix, ground, 169).await
}
