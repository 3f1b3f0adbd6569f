//! The consumers in every language against a real stream that the real receiver fills: each must do what `README.md` beside them says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod apart;
mod bodies;
mod bot;
mod ends;
mod golden;
mod house;
mod order;
mod permissions;
mod refused;
mod replay;
mod stops;

/// One test for each language.
macro_rules! in_every_language {
    ($test:ident) => {
        mod $test {
            use crate::bot::Language;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn rust() {
                super::$test(Language::Rust).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn python() {
                super::$test(Language::Python).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn node() {
                super::$test(Language::Node).await;
            }
        }
    };
}
pub(crate) use in_every_language;
