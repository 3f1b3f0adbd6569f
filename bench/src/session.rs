//! One use of the benchmark: who can take part, what is run, and what is done with the results.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use tokio::task::block_in_place;
use wahook_testbed::nats;
use wahook_testbed::setting::Setting;

use crate::growth;
use crate::measure::load_average;
use crate::options::Options;
use crate::peer::{Keeps, Peer, Places, Program, RedisProgram, find_redis, prepare};
use crate::ratios;
use crate::report;
use crate::results::{Cell, Entrant, Results};
use crate::rounds::Schedule;

/// The last committed results, from the workspace's root.
pub const RESULTS: &str = "bench/results.json";
/// The report.
pub const REPORT: &str = "bench/RESULTS.md";
/// The picture in it.
pub const PICTURE: &str = "bench/results.svg";
/// What has been measured so far, while it is measured.
const SO_FAR: &str = "target/bench/results.json";
/// Where `cargo xtask image` puts the receiver's image.
const IMAGE: &str = "target/image/wahook-receiver.tar";

/// The growth is measured in fewer rounds: it shows a shape.
const GROWTH_ROUNDS: u32 = 2;

/// The benchmark could not be run.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The kernel's accounts are needed.
    #[error("what a process costs is read from the Linux kernel: run this on Linux")]
    NotLinux,
    /// The receiver or a floor.
    #[error("{0} cannot be started: {1}")]
    Own(Peer, String),
    /// No NATS server.
    #[error(transparent)]
    Nats(#[from] nats::InstallError),
    /// A file.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// What is committed cannot be read.
    #[error("{RESULTS} cannot be read ({0}); `cargo xtask bench` writes it anew")]
    Results(serde_json::Error),
    /// No picture.
    #[error("the picture: {0}")]
    Picture(String),
}

/// Who can take part.
struct House {
    programs: Vec<Program>,
    redis: Option<RedisProgram>,
}

/// Does what was asked. Failure: a run lost, doubled or invented events, or the receiver could not be measured.
///
/// # Errors
/// [`SessionError`].
pub async fn run(options: &Options, places: &Places) -> Result<ExitCode, SessionError> {
    if !cfg!(target_os = "linux") {
        return Err(SessionError::NotLinux);
    }
    if options.render {
        write(places, committed(places)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Each of thousands of connections is a file.
    if let Ok((_, hard)) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE) {
        let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, hard, hard);
    }
    let mut results = Results::default();
    let house = block_in_place(|| house(options, places, &mut results))?;
    describe(places, &house, &mut results);
    let schedule = schedule(options, &house);
    let mut keep = |results: &Results| {
        // A copy for whoever stops a long run; the run itself does not need it.
        let _ = save(&places.workspace.join(SO_FAR), results);
    };
    schedule
        .run(&house.programs, house.redis.as_ref(), &mut results, &mut keep)
        .await;
    let is_whole = !options.quick && options.only.is_empty();
    if is_whole && !options.no_growth {
        let receiver = house
            .programs
            .iter()
            .find(|program| program.peer == Peer::Receiver);
        if let Some(receiver) = receiver {
            let rounds = options.rounds.unwrap_or(GROWTH_ROUNDS).min(GROWTH_ROUNDS);
            let times = (schedule.warm_up, schedule.time);
            growth::run_all(receiver, rounds, times, &mut results, &mut keep).await;
        }
    }
    results.load[1] = load_average();
    let verdict = verdict(&results);
    if is_whole {
        write(places, results)?;
    } else {
        print(places, &results)?;
    }
    Ok(verdict)
}

fn verdict(results: &Results) -> ExitCode {
    for void in &results.void {
        println!(
            "Does not count: {}, {}, round {}: {}",
            void.peer,
            void.cell,
            void.round + 1,
            void.reason
        );
    }
    let broken = results.void.iter().filter(|void| void.broken_promise).count();
    let unmeasured = !results.samples.iter().any(|sample| sample.peer == Peer::Receiver);
    if broken > 0 {
        println!("FAILED: in {broken} runs what was stored was not what was acknowledged.");
    }
    if unmeasured {
        println!("FAILED: no run of the receiver counts.");
    }
    if broken > 0 || unmeasured {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Finds or builds everybody.
fn house(options: &Options, places: &Places, results: &mut Results) -> Result<House, SessionError> {
    nats::nats_server()?;
    let wanted =
        |peer: &Peer| options.only.is_empty() || *peer == Peer::Receiver || options.only.contains(peer);
    let peers: Vec<Peer> = Peer::ALL.into_iter().filter(wanted).collect();
    let redis = if peers.iter().any(|peer| peer.keeps() == Keeps::List) {
        find_redis()
    } else {
        Err("it was not asked for".to_owned())
    };
    let mut programs = Vec::new();
    for peer in peers {
        let prepared = match &redis {
            Err(reason) if peer.keeps() == Keeps::List => Err(format!("it needs Redis: {reason}")),
            _ => prepare(peer, places),
        };
        match prepared {
            Ok(program) => programs.push(program),
            Err(reason) if peer.is_foreign() => {
                eprintln!("bench: {peer} is left out: {reason}");
                results.absent.insert(peer, reason);
            }
            Err(reason) => return Err(SessionError::Own(peer, reason)),
        }
    }
    Ok(House {
        programs,
        redis: redis.ok(),
    })
}

/// Notes what is measured, on what.
fn describe(places: &Places, house: &House, results: &mut Results) {
    let setting = Setting::of(&places.workspace, "bench");
    results.commit = setting.commit;
    results.date = setting.date;
    results.machine = setting.machine;
    results.load[0] = load_average();
    results.image_bytes = fs::metadata(places.workspace.join(IMAGE))
        .ok()
        .map(|meta| meta.len());
    results.entrants = house
        .programs
        .iter()
        .map(|program| Entrant {
            peer: program.peer,
            versions: program.versions.clone(),
            bytes: program.bytes,
        })
        .collect();
    results.versions.push(format!("nats-server {}", nats::VERSION));
    if let Some(redis) = &house.redis {
        results.versions.push(format!("redis-server {}", redis.version));
    }
    for (name, program, argument) in [
        ("Node", "node", "--version"),
        ("Python", "python3", "--version"),
        ("Go", "go", "version"),
        ("Rust", "rustc", "--version"),
    ] {
        let said = Command::new(program).arg(argument).output();
        let said = said
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .unwrap_or_default();
        let mut words = said
            .split_whitespace()
            .map(|word| word.trim_start_matches("go").trim_start_matches('v'));
        if let Some(version) = words.find(|word| word.starts_with(|first: char| first.is_ascii_digit())) {
            results.versions.push(format!("{name} {version}"));
        }
    }
}

fn schedule(options: &Options, house: &House) -> Schedule {
    let all: Vec<Peer> = house.programs.iter().map(|program| program.peer).collect();
    let rounds = options.rounds.unwrap_or(3);
    let cells = if options.quick {
        let own: Vec<Peer> = all.iter().copied().filter(|peer| !peer.is_foreign()).collect();
        vec![
            (Cell::TEXT, all, 0..1),
            (Cell::TEXT, own.clone(), 1..rounds),
            (Cell::HUNDRED, own, 0..rounds),
        ]
    } else {
        Cell::ALL.map(|cell| (cell, all.clone(), 0..rounds)).to_vec()
    };
    let seconds = options.seconds.unwrap_or(if options.quick { 2 } else { 4 });
    Schedule {
        cells,
        warm_up: Duration::from_secs(1),
        time: Duration::from_secs(seconds),
    }
}

/// The last committed results; nothing at all before the first.
fn committed(places: &Places) -> Result<Results, SessionError> {
    match fs::read(places.workspace.join(RESULTS)) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(SessionError::Results),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Results::default()),
        Err(error) => Err(SessionError::File(RESULTS.to_owned(), error)),
    }
}

fn print(places: &Places, results: &Results) -> Result<(), SessionError> {
    println!("{}", report::summary(results));
    println!(
        "{}",
        ratios::table(&ratios::compare(results, &committed(places)?))
    );
    Ok(())
}

/// Writes results, report and picture.
fn write(places: &Places, mut results: Results) -> Result<(), SessionError> {
    let image = fs::metadata(places.workspace.join(IMAGE));
    results.image_bytes = image.map(|meta| meta.len()).ok().or(results.image_bytes);
    let results = &results;
    save(&places.workspace.join(RESULTS), results)?;
    let picture = report::picture(results).map_err(|error| SessionError::Picture(error.to_string()))?;
    for (path, text) in [(REPORT, report::markdown(results)), (PICTURE, picture)] {
        fs::write(places.workspace.join(path), text)
            .map_err(|error| SessionError::File(path.to_owned(), error))?;
    }
    println!("{}", report::summary(results));
    println!("{REPORT}, {PICTURE} and {RESULTS} are written.");
    Ok(())
}

fn save(path: &Path, results: &Results) -> Result<(), SessionError> {
    let failed = |error: io::Error| SessionError::File(path.display().to_string(), error);
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    let text = results.to_json().map_err(SessionError::Results)?;
    fs::write(path, text).map_err(failed)
}
