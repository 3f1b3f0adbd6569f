//! One file for each thing that reads what strangers write.

mod config;
mod definition;
mod envelope;
mod families;
mod handshake;
mod received;
mod secrets;
mod signature;
mod subjects;

/// Something that takes any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called on the command line, and its folder of crashes.
    pub name: &'static str,
    /// What it is given and what must hold.
    pub about: &'static str,
    seeds: fn() -> Vec<Vec<u8>>,
    run: fn(&[u8]),
}

impl Target {
    /// Every target.
    pub const ALL: [Self; 9] = [
        signature::TARGET,
        handshake::TARGET,
        envelope::TARGET,
        families::TARGET,
        subjects::TARGET,
        received::TARGET,
        config::TARGET,
        secrets::TARGET,
        definition::TARGET,
    ];

    /// The target of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name == name)
    }

    /// Inputs to start from.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        (self.seeds)()
    }

    /// Gives it one input. Panics when what must hold does not.
    pub fn run(&self, data: &[u8]) {
        (self.run)(data);
    }
}

/// The bodies of all samples.
fn bodies() -> Vec<Vec<u8>> {
    let samples = wahook_events::samples::ALL.iter();
    samples.map(|sample| sample.body.as_bytes().to_vec()).collect()
}

/// Texts as seeds.
fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
