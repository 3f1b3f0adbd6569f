//! The lower floor: an HTTP server that reads the body and answers. Nothing is checked and nothing kept.

use std::env;
use std::error::Error;
use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT")?.parse()?;
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let app = Router::new().route("/webhook", post(async |_body: Bytes| r#"{"status":"received"}"#));
    axum::serve(listener, app).await?;
    Ok(())
}
