//! Where spans go and how many of them: text to checked settings. Pure.

use std::fmt;
use std::str::FromStr;

/// The path that OTLP over HTTP has for spans.
const PATH: &str = "/v1/traces";
/// Of this many traces a ratio is counted.
const WHOLE: u32 = 1_000_000;
/// A URL is no longer than this.
const LONGEST: usize = 512;

/// A text that is not the address of a collector. It does not repeat the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a URL such as http://collector.observability:4318, without user, query and /v1/traces, which is added"
)]
pub struct EndpointError;

/// A text that is not a share of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a number from 0 to 1 with at most six decimals, such as 0.1")]
pub struct RatioError;

/// A collector's address, `http://` or `https://`, with a host, a port or not, a path or not, and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    port: u16,
}

impl Endpoint {
    /// The TCP port spans are sent to.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address as it was given, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Where spans are posted.
    pub(super) fn traces(&self) -> String {
        format!("{}{PATH}", self.url)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.url, f)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte);
        let url = text.strip_suffix('/').unwrap_or(text);
        let uri: http::Uri = Some(url)
            .filter(|url| url.len() <= LONGEST && url.bytes().all(plain) && !url.ends_with(PATH))
            .and_then(|url| url.parse().ok())
            .ok_or(EndpointError)?;
        let usual = match uri.scheme_str() {
            Some("http") => 80,
            Some("https") => 443,
            _ => return Err(EndpointError),
        };
        let authority = uri.authority().ok_or(EndpointError)?;
        if authority.host().is_empty() || authority.as_str().ends_with(':') {
            return Err(EndpointError);
        }
        // Without a port of its own the text is nothing but the host.
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str() == authority.host() => usual,
            None => return Err(EndpointError),
        };
        if port == 0 {
            return Err(EndpointError);
        }
        Ok(Self {
            url: url.to_owned(),
            port,
        })
    }
}

/// Which share of the traces that begin here is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRatio(u32);

impl SampleRatio {
    /// Every trace.
    pub const ALL: Self = Self(WHOLE);

    pub(super) fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }
}

impl fmt::Display for SampleRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / WHOLE, self.0 % WHOLE);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl FromStr for SampleRatio {
    type Err = RatioError;

    fn from_str(text: &str) -> Result<Self, RatioError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !matches!(whole, "0" | "1") || !digits(decimals) || decimals.len() > 6 {
            return Err(RatioError);
        }
        let millionths: u32 = format!("{whole}{decimals:0<6}").parse().map_err(|_| RatioError)?;
        Some(millionths)
            .filter(|millionths| *millionths <= WHOLE)
            .map(Self)
            .ok_or(RatioError)
    }
}

/// What is needed to export spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSettings {
    /// The collector.
    pub endpoint: Endpoint,
    /// How many of the traces that begin here are kept. One that a trusted caller began is kept when the caller keeps
    /// it.
    pub sample_ratio: SampleRatio,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_endpoint_is_a_scheme_a_host_and_perhaps_a_port_and_a_path() {
        for (text, port, traces) in [
            ("http://collector:4318", 4318, "http://collector:4318/v1/traces"),
            ("http://collector/", 80, "http://collector/v1/traces"),
            (
                "https://otlp.example.com",
                443,
                "https://otlp.example.com/v1/traces",
            ),
            (
                "https://otlp.example.com/otlp",
                443,
                "https://otlp.example.com/otlp/v1/traces",
            ),
            (
                "http://[2001:db8::1]:4318",
                4318,
                "http://[2001:db8::1]:4318/v1/traces",
            ),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.port(), endpoint.traces().as_str()), (port, traces));
        }
        for text in [
            "",
            "collector",
            "collector:4318",
            "http://",
            "http://:4318",
            "http://collector:",
            "http://collector:0",
            "http://collector:99999",
            "grpc://collector:4317",
            "http://ann:sesame@collector:4318",
            "http://sesame@collector",
            "http://collector:4318/v1/traces",
            "http://collector?sesame",
            "http://collector#sesame",
            "http://a b",
            "http://a\nb",
            "http://a,http://b",
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(EndpointError), "{text}");
        }
        assert!(!EndpointError.to_string().contains("sesame"));
    }

    #[test]
    fn a_ratio_is_a_number_from_0_to_1() {
        for (text, millionths) in [
            ("0", 0),
            ("1", WHOLE),
            ("1.0", WHOLE),
            ("0.1", 100_000),
            ("0.000001", 1),
        ] {
            let ratio: SampleRatio = text.parse().unwrap();
            assert_eq!(ratio, SampleRatio(millionths), "{text}");
            assert_eq!(ratio.to_string(), text.trim_end_matches(".0"));
        }
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1.1",
            "2",
            "-0",
            "+1",
            "0.0000001",
            "1e-3",
            "10%",
            "0.1.1",
            "NaN",
        ] {
            assert_eq!(text.parse::<SampleRatio>(), Err(RatioError), "{text}");
        }
    }
}
