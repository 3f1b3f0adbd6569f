//! What can be asked of the benchmark.

use clap::Args;

use crate::peer::Peer;

/// Arguments of `cargo xtask bench`.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// Both floors, the receiver and one look at each peer, in a few minutes; prints ratios beside the committed ones and writes
    /// nothing
    #[arg(long, conflicts_with = "render")]
    pub quick: bool,

    /// Only this contestant, beside the receiver; may be given more than once. Prints and writes nothing
    #[arg(long, value_name = "PEER", conflicts_with = "render")]
    pub only: Vec<Peer>,

    /// How many rounds: each runs all contestants, every other one in reverse. 3 unless told otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50))]
    pub rounds: Option<u32>,

    /// How long each run is measured. 4 unless told otherwise, 2 with --quick
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: Option<u64>,

    /// Leave out how the receiver's cost grows with connections, bodies and ids remembered
    #[arg(long)]
    pub no_growth: bool,

    /// Measure nothing: write the report again from bench/results.json
    #[arg(long)]
    pub render: bool,
}

const AFTER_HELP: &str = "\
Builds the receiver and the floors for release, installs the peers from their lock files into ~/.cache/wahook (with the
pip, npm and go that are configured here), and runs all of them on this machine, one after the other: the same signed
deliveries, a fresh NATS server or Redis for each run. After each run the stream (or list) must hold exactly the events
that were acknowledged, each once; else the run does not count, and the command fails.

The figure to look at is processor time for a request, by the kernel's own account of the process and its children: a busy
machine changes it least. Compare ratios of one run, never times of two machines.

Needs Linux; Node, Python and Go for the peers, and redis-server or Debian's apt. A peer that cannot be had is named in the
report, with the reason. The whole takes about half an hour, --quick under five minutes once everything is built.

Examples:
  After a change of the receiver: did it become dearer?
    cargo xtask bench --quick

  One peer, closer:
    cargo xtask bench --only benthos --rounds 5

  The report of the repository (bench/RESULTS.md); commit first, since it names the commit:
    cargo xtask bench";
