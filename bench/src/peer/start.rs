//! A contestant as a running process: started, asked until it answers, ended with all its children.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wahook_testbed::child::OwnedChild;
use wahook_testbed::log::Log;
use wahook_testbed::port::ReservedPort;
use wahook_testbed::process::ReceiverProcess;

use super::receiver::{Tuning, options};
use super::{Peer, Program};
use crate::corpus::SECRET;
use crate::measure::Tree;
use crate::store::{LIST, SUBJECT, Store};

/// The pause between two questions to one that does not answer yet.
const ASK_EVERY: Duration = Duration::from_millis(1);
/// The time a contestant has for its first 200.
const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A contestant did not come up.
#[derive(Debug, thiserror::Error)]
#[error("{peer} {problem}{log}")]
pub struct StartError {
    peer: Peer,
    problem: String,
    log: String,
}

/// A running contestant. Dropping it kills it and its children.
#[derive(Debug)]
pub struct Running {
    peer: Peer,
    process: Process,
    began: Instant,
}

#[derive(Debug)]
enum Process {
    Receiver(Box<ReceiverProcess>),
    Other {
        child: OwnedChild,
        port: ReservedPort,
        log: Log,
    },
}

impl Running {
    /// Starts a contestant and returns at once.
    ///
    /// # Errors
    /// [`StartError`] when there is nothing to start.
    pub async fn start(program: &Program, store: &Store, tuning: Tuning) -> Result<Self, StartError> {
        let failed = |problem: String| StartError {
            peer: program.peer,
            problem,
            log: String::new(),
        };
        if program.peer == Peer::Receiver {
            let options = options(&program.path, &store.url(), tuning);
            let began = Instant::now();
            let receiver = ReceiverProcess::start(options).await;
            let receiver = receiver.map_err(|error| failed(format!("does not start: {error}")))?;
            return Ok(Self {
                peer: program.peer,
                process: Process::Receiver(Box::new(receiver)),
                began,
            });
        }
        let port = ReservedPort::new().map_err(|error| failed(format!("has no port: {error}")))?;
        let log = Log::default();
        let mut command = Command::new(&program.path);
        let arguments = program.arguments.iter();
        command
            .args(arguments.map(|argument| argument.replace("{port}", &port.number().to_string())))
            .current_dir(&program.directory)
            .env("PORT", port.number().to_string())
            .env("APP_SECRET", SECRET)
            .env("NATS_URL", store.url())
            .env("REDIS_URL", store.url())
            .env("SUBJECT", SUBJECT)
            .env("QUEUE", LIST)
            .env("NODE_ENV", "production");
        let began = Instant::now();
        let child =
            OwnedChild::spawn(command, &log).map_err(|error| failed(format!("does not start: {error}")))?;
        Ok(Self {
            peer: program.peer,
            process: Process::Other { child, port, log },
            began,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        match &self.process {
            Process::Receiver(receiver) => receiver.address(),
            Process::Other { port, .. } => port.address(),
        }
    }

    /// The process and its children of this moment.
    pub fn tree(&self) -> Tree {
        Tree::of(match &self.process {
            Process::Receiver(receiver) => receiver.pid(),
            Process::Other { child, .. } => child.pid(),
        })
    }

    /// The end of what it wrote.
    pub fn last_words(&self) -> String {
        match &self.process {
            Process::Receiver(receiver) => receiver.log().tail(5),
            Process::Other { log, .. } => log.tail(5),
        }
    }

    /// Posts one delivery until it is answered with 200; the time that took since the start. Blocks.
    ///
    /// # Errors
    /// [`StartError`] with the end of its output when none came in half a minute.
    pub fn first_200(&self, request: &[u8]) -> Result<Duration, StartError> {
        let mut last = String::from("nothing");
        while self.began.elapsed() < START_LIMIT {
            match ask(self.address(), request) {
                Ok(200) => return Ok(self.began.elapsed()),
                Ok(status) => last = status.to_string(),
                Err(error) => last = error.to_string(),
            }
            thread::sleep(ASK_EVERY);
        }
        Err(StartError {
            peer: self.peer,
            problem: format!("did not answer a delivery with 200 in {START_LIMIT:?}, but with: {last}"),
            log: format!(". Its last lines:\n{}", self.last_words()),
        })
    }

    /// Asks it to end, and ends whatever is left of it.
    pub async fn stop(self) {
        match &self.process {
            Process::Receiver(receiver) => drop(receiver.stop().await),
            Process::Other { child, .. } => {
                let tree = self.tree();
                // Too slow an end is a kill; that is not what is measured.
                let _ = child.terminate(STOP_LIMIT).await;
                kill_rest(&tree);
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The root ends with its value, and is asked first what it has below it.
        if let Process::Other { child, .. } = &self.process
            && child.exit_status().is_none()
        {
            kill_rest(&self.tree());
        }
    }
}

/// Kills workers that outlived the process that started them.
fn kill_rest(tree: &Tree) {
    for pid in tree.pids().iter().skip(1) {
        if let Ok(pid) = i32::try_from(*pid) {
            // It is gone already, as it should be.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// One delivery on a connection of its own; the status.
fn ask(address: SocketAddr, request: &[u8]) -> io::Result<u16> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    socket.write_all(request)?;
    let mut start = [0; 12];
    socket.read_exact(&mut start)?;
    let digits = std::str::from_utf8(&start[9..])
        .ok()
        .and_then(|digits| digits.parse().ok());
    digits.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
