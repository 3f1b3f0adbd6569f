//! Who is asking, and who keeps failing the signature check.
//!
//! A client that fails too often is answered 429 instead of 401. Signed requests never come here,
//! so nobody can rate limit Meta away.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;
use ipnet::IpNet;

/// The span over which failures are counted; also how much debt a client can pile up.
const WINDOW: Duration = Duration::from_secs(60);

/// The table is cut into groups of few slots: an insertion looks at one group only, so its cost
/// stays the same however many addresses an attacker owns.
const GROUPS: usize = 1250;
const SLOTS: usize = 8;

/// The clients that recently failed, each with a token bucket. Never more than 10,000 of them, in
/// memory that is allocated once.
///
/// When a group is full, the client with the smallest debt makes room, and only for one with more.
/// Whoever owes much therefore keeps owing until it has waited, whatever addresses turn up, and
/// newcomers that find no room share one bucket per group.
pub struct Clients {
    groups: Mutex<Box<[Group]>>,
    // Keyed at random per process: nobody can aim addresses at one group.
    hasher: RandomState,
}

impl Clients {
    /// What to send as `Retry-After` with a 429: after this many seconds every debt is gone.
    pub const RETRY_AFTER_SECONDS: u64 = WINDOW.as_secs();

    /// An empty table.
    pub fn new() -> Self {
        Self {
            groups: Mutex::new(vec![Group::default(); GROUPS].into()),
            hasher: RandomState::new(),
        }
    }

    /// Records a failed signature of `client` and tells whether it is over `limit_per_minute`.
    ///
    /// IPv6 clients count by their /64: a single household owns all of it. A limit of zero puts
    /// every failure over the limit.
    pub fn failed(&self, client: IpAddr, now: Instant, limit_per_minute: u32) -> bool {
        let Some(cost) = WINDOW.checked_div(limit_per_minute) else {
            return true;
        };
        let client = network(client);
        let hash = self.hasher.hash_one(client);
        // The remainder is below GROUPS, so it fits every usize.
        let index = usize::try_from(hash % GROUPS as u64).unwrap_or(0);
        // A panic elsewhere cannot leave a group half written: every update is one assignment.
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups[index].bucket(client, now, cost).spend(now, cost)
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self::new()
    }
}

/// Addresses are personal data: only the type is shown.
impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

#[derive(Clone, Default)]
struct Group {
    slots: [Option<(IpAddr, Bucket)>; SLOTS],
    overflow: Bucket,
}

impl Group {
    /// The bucket that counts for this client: its own, a free one, the least indebted one's place,
    /// or the shared one.
    fn bucket(&mut self, client: IpAddr, now: Instant, cost: Duration) -> &mut Bucket {
        let known = self
            .slots
            .iter()
            .position(|slot| matches!(slot, Some((known, _)) if *known == client));
        let place = known.or_else(|| {
            let debt =
                |slot: &Option<(IpAddr, Bucket)>| slot.as_ref().map_or(Duration::ZERO, |(_, b)| b.debt(now));
            let (place, least) = self
                .slots
                .iter()
                .map(debt)
                .enumerate()
                .min_by_key(|(_, debt)| *debt)?;
            (least < cost).then(|| {
                self.slots[place] = Some((client, Bucket::default()));
                place
            })
        });
        match place.and_then(|place| self.slots[place].as_mut()) {
            Some((_, bucket)) => bucket,
            None => &mut self.overflow,
        }
    }
}

/// A token bucket as one instant (the generic cell rate algorithm): the debt is paid off then.
#[derive(Clone, Copy, Default)]
struct Bucket {
    paid_at: Option<Instant>,
}

impl Bucket {
    fn debt(self, now: Instant) -> Duration {
        self.paid_at
            .map_or(Duration::ZERO, |paid_at| paid_at.saturating_duration_since(now))
    }

    /// Adds one failure; true when the debt is more than one window then. The debt itself stops at
    /// one window, so that a client which waits that long starts afresh.
    fn spend(&mut self, now: Instant, cost: Duration) -> bool {
        let debt = self.debt(now) + cost;
        self.paid_at = now.checked_add(debt.min(WINDOW));
        debt > WINDOW
    }
}

/// What counts as one client: an IPv4 address, or an IPv6 /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Finds the client behind trusted proxies.
///
/// Every proxy appends the address it saw to `X-Forwarded-For`, so the header is read from the
/// right, and only as long as the address to the right of an entry is a trusted proxy: what lies
/// further left was written by somebody we do not know. An entry that is no address stops the walk
/// at the last address that is.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer.to_canonical();
    // Several header lines are one list (RFC 9110, section 5.3): the last line is the nearest.
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    for entry in entries {
        if !is_trusted(&client) {
            break;
        }
        match forwarded_address(entry) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// One entry: an address, or as some gateways write it, an address with a port.
fn forwarded_address(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?.trim();
    let address = entry
        .parse()
        .or_else(|_| entry.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests;
