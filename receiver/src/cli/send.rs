//! `wahook-receiver send`: posts signed sample webhooks, as Meta would.

mod stored;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use reqwest::{Client, Url};

use stored::{Lookup, StoredArgs};

use super::UsageError;
use super::secret_file::{self, GivenSecret};
use crate::signature::{HEADER, PREFIX, sign};
use wahook_events::samples::{self, Sample};
use wahook_telemetry::one_line;

/// How much of an answer's body is shown, in characters.
const ANSWER_SHOWN: usize = 200;
/// The pause between two attempts while waiting.
const PAUSE: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  Ten different text messages to the receiver on this machine:
    WHATSAPP_APP_SECRET=... wahook-receiver send --type text --count 10

  The same message twice, to see it deduplicated:
    wahook-receiver send --secret-file app-secret --count 2 --repeat

  A signature the receiver must refuse with 401:
    wahook-receiver send --secret-file app-secret --bad-signature

  A message that must be in the stream afterwards, once the receiver is up:
    wahook-receiver send --secret-file app-secret --wait 60 --expect-stored

  A body to post with another tool:
    wahook-receiver send --type batch --dump > body.json

Exit codes: 0 every answer was 200 and, if that was asked, everything is stored; 1 not so; 2 the command was used wrongly.";

/// Post signed sample webhooks, as Meta would
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "command-line switches are independent of each other"
)]
pub struct SendArgs {
    /// Which sample to send, such as text, image, status or batch; --list shows all
    #[arg(long = "type", value_name = "NAME", default_value = "text")]
    pub sample: String,

    /// Where to post to; https:// checks the certificate against this machine's CA certificates
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000/webhook")]
    pub to: Url,

    /// File that holds the app secret (default: `WHATSAPP_APP_SECRET`)
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,

    /// How many requests to send, one after the other
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub count: u32,

    /// Send the same message every time instead of a new one
    #[arg(long)]
    pub repeat: bool,

    /// Sign wrongly
    #[arg(long)]
    pub bad_signature: bool,

    /// Seconds to wait for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub timeout: u64,

    /// Seconds to go on trying until the first answer is 200
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait: u64,

    /// Where to look for what was posted
    #[command(flatten)]
    pub stored: StoredArgs,

    /// Show the samples there are and stop
    #[arg(long)]
    pub list: bool,

    /// Print the body instead of sending it
    #[arg(long, conflicts_with = "list")]
    pub dump: bool,
}

/// Runs the command. The exit code is 0 when every answer was 200, else 1.
///
/// # Errors
/// [`UsageError`] when the sample, the secret or the client is not there, or printing fails.
pub async fn run(args: &SendArgs, mut out: impl Write) -> Result<u8, UsageError> {
    if args.list {
        list(&mut out)?;
        return Ok(0);
    }
    let sample = find(&args.sample).ok_or_else(|| UsageError::UnknownSample {
        name: args.sample.clone(),
    })?;
    if args.dump {
        // Without a newline at the end: a signature covers every byte.
        out.write_all(body(sample, args.repeat, 1).as_bytes())?;
        out.flush()?;
        return Ok(0);
    }
    let secrets = secret_file::read_all(args.secret_file.as_slice())?;
    let secret = secrets.first().ok_or(UsageError::NoSecret)?;
    if args.to.scheme() == "http" && !is_loopback(&args.to) {
        writeln!(
            out,
            "warning: {} is not encrypted; Meta only posts to https",
            args.to.origin().ascii_serialization()
        )?;
    }
    let lookup = Lookup::new(&args.stored)?;
    post_all(args, sample, secret, lookup.as_ref(), &mut out).await
}

async fn post_all(
    args: &SendArgs,
    sample: &Sample,
    secret: &GivenSecret,
    lookup: Option<&Lookup>,
    out: &mut impl Write,
) -> Result<u8, UsageError> {
    let client = client(args)?;
    let mut all_stored = true;
    let repeated = body(sample, true, 1);
    let mut patience = Some(Instant::now() + Duration::from_secs(args.wait));
    for number in 1..=args.count {
        let body = if args.repeat {
            repeated.clone()
        } else {
            body(sample, false, number)
        };
        let signature = signature(secret.loaded(), body.as_bytes(), args.bad_signature);
        let (answer, elapsed) = loop {
            let started = Instant::now();
            let answer = post(&client, &args.to, body.clone(), signature.clone()).await;
            let is_stored = matches!(answer, Ok((200, _)));
            if is_stored || patience.is_none_or(|until| Instant::now() + PAUSE > until) {
                break (answer, started.elapsed().as_millis());
            }
            tokio::time::sleep(PAUSE).await;
        };
        patience = None;
        let is_stored = matches!(answer, Ok((200, _)));
        all_stored &= is_stored;
        match answer {
            Ok((status, text)) => writeln!(out, "{number:>4}  {status}  {elapsed:>5} ms  {text}")?,
            Err(error) => writeln!(
                out,
                "{number:>4}  ---  {elapsed:>5} ms  no answer: {}",
                causes(&error)
            )?,
        }
        if let Some(lookup) = lookup.filter(|_| is_stored) {
            let found = lookup.find(body.as_bytes()).await;
            all_stored &= matches!(&found, Ok(found) if found.stored == found.of);
            match found {
                Ok(found) => writeln!(out, "      in the stream: {} of {}", found.stored, found.of)?,
                Err(error) => writeln!(out, "      {}", one_line(&error.to_string()))?,
            }
        }
    }
    Ok(u8::from(!all_stored))
}

/// The sample of this name, else the first of its kind: `status` finds `status_sent`.
fn find(name: &str) -> Option<&'static Sample> {
    let of_kind = |sample: &&Sample| {
        sample
            .name
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('_'))
    };
    samples::get(name).or_else(|| samples::ALL.iter().find(of_kind))
}

/// The sample itself, or the same as new messages of this moment. The tag tells runs apart.
fn body(sample: &Sample, repeat: bool, number: u32) -> String {
    if repeat {
        return sample.body.to_owned();
    }
    let tag = format!("{:08x}{number:x}", rand::random::<u32>());
    samples::fresh(sample, &tag, Some(jiff::Timestamp::now().as_second()))
}

/// The signature header, with its last digit changed if it is to be wrong.
fn signature(secret: &[u8], body: &[u8], bad: bool) -> String {
    let mut signature = sign(secret, body);
    if bad && let Some(last) = signature.pop() {
        signature.push(if last == '0' { '1' } else { '0' });
    }
    debug_assert!(signature.starts_with(PREFIX));
    signature
}

fn client(args: &SendArgs) -> Result<Client, UsageError> {
    // The only provider in this build; an error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .timeout(Duration::from_secs(args.timeout))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("wahook-receiver/", env!("CARGO_PKG_VERSION")));
    // Plain HTTP must work where no CA certificates are installed, as in a bare container image.
    let builder = if args.to.scheme() == "https" {
        builder
    } else {
        builder.tls_certs_only([])
    };
    Ok(builder.build()?)
}

async fn post(client: &Client, to: &Url, body: String, signature: String) -> reqwest::Result<(u16, String)> {
    let request = client
        .post(to.clone())
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(HEADER, signature)
        .body(body);
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let text: String = answer.text().await?.trim().chars().take(ANSWER_SHOWN).collect();
    Ok((status, one_line(&text)))
}

fn list(out: &mut impl Write) -> std::io::Result<()> {
    let width = samples::ALL
        .iter()
        .map(|sample| sample.name.len())
        .max()
        .unwrap_or(0);
    for Sample { name, about, .. } in samples::ALL {
        writeln!(out, "{name:width$}  {about}")?;
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// An error with everything behind it: reqwest's own text leaves out the reason.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    one_line(&text)
}

#[cfg(test)]
mod tests;
