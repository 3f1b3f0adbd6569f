//! The stand-in of the Graph API answers as Meta does.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use wahook_testbed::graph::{Fault, Graph, MediaFile};
use wahook_testbed::meta::MetaClient;

async fn ask(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.header("authorization", "Bearer T").send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

fn client() -> reqwest::Client {
    // Makes sure that there is a provider.
    let _ = MetaClient::new("http://127.0.0.1:1/", "secret").unwrap();
    reqwest::Client::new()
}

#[tokio::test]
async fn messages_are_taken_refused_or_left_without_an_answer() {
    let graph = Graph::start("T").await.unwrap();
    let client = client();
    let url = format!("{}/315/messages", graph.url());
    let text =
        json!({"messaging_product": "whatsapp", "to": "15550100001", "type": "text", "text": {"body": "Hi"}});
    let post = || client.post(&url).json(&text);

    assert_eq!(post().send().await.unwrap().status().as_u16(), 401);
    let (status, error) = ask(client.post(&url).json(&json!({"to": "15550100001"}))).await;
    assert_eq!((status, &error["error"]["code"]), (400, &json!(100)));
    graph.fail_next([Fault::TooMany, Fault::Unavailable]);
    assert_eq!(
        (ask(post()).await.0, ask(post()).await.0, graph.count()),
        (429, 503, 0)
    );
    let (status, taken) = ask(post()).await;
    assert_eq!((status, graph.count()), (200, 1));
    assert_eq!(
        taken["messages"][0]["id"].as_str(),
        Some(graph.sent()[0].id.as_str())
    );
    graph.fail_next([Fault::NoAnswer]);
    let silent = post().header("authorization", "Bearer T").send().await;
    let cut = match silent {
        Err(_) => true,
        Ok(answer) => answer.bytes().await.is_err(),
    };
    assert!(cut && graph.count() == 2);
}

#[tokio::test]
async fn media_is_looked_up_by_id_and_its_address_expires() {
    let graph = Graph::start("T").await.unwrap();
    let client = client();
    let file = MediaFile {
        mime_type: "image/jpeg".into(),
        bytes: vec![1, 2, 3],
        ..MediaFile::default()
    };
    graph.put_media("42", file);
    let look_up = || client.get(format!("{}/42", graph.url()));
    assert_eq!(ask(client.get(format!("{}/43", graph.url()))).await.0, 400);

    graph.expire_next_media_urls(1);
    let (_, found) = ask(look_up()).await;
    assert_eq!(found["file_size"], 3);
    assert_eq!(ask(client.get(found["url"].as_str().unwrap())).await.0, 404);
    let (_, found) = ask(look_up()).await;
    let url = found["url"].as_str().unwrap();
    assert_eq!(client.get(url).send().await.unwrap().status().as_u16(), 401);
    let answer = client
        .get(url)
        .header("authorization", "Bearer T")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.bytes().await.unwrap(), [1_u8, 2, 3].as_slice());

    graph.expire_token(true);
    let (status, refused) = ask(look_up()).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &190.into()));
}
