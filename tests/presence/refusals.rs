//! What is not told, and what cannot be asked.

use std::net::SocketAddr;

use enchufe::live::{PresenceError, broker::ChannelOptions};
use serde_json::{Value, json};

use crate::{
    common::{
        http::{UPGRADE, ask, connect},
        server::{Server, name},
    },
    watcher::{event, say, v1},
};

const HOST: &str = "Host: localhost";

fn refused(address: SocketAddr, line: &str, accept: &str) -> (u16, String) {
    let reply = ask(address, line, &[HOST, &format!("Accept: {accept}")]);
    let body: Value = serde_json::from_str(&reply.body).expect("JSON");
    (reply.status, body["error"]["code"].as_str().expect("a code").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_may_keep_to_itself_who_reads_it() {
    let options = ChannelOptions { presence: false, ..ChannelOptions::default() };
    let server = Server::start(options).await;
    let address = server.address;
    let asking = tokio::task::spawn_blocking(move || {
        let expected = (403, "no_presence".to_owned());
        assert_eq!(refused(address, "GET /channels/feed?presence", "*/*"), expected);
        for accept in ["text/event-stream", "application/x-ndjson"] {
            let line = "GET /channels/feed?presence=events";
            assert_eq!(refused(address, line, accept), expected);
        }
        let mut socket = v1(connect(address));
        for command in [
            json!({ "presence": { "channel": "feed" } }),
            json!({ "subscribe": { "channel": "feed", "presence": true } }),
        ] {
            say(&mut socket, &command);
            let (kind, error) = event(&mut socket);
            assert_eq!((kind.as_str(), &error["code"]), ("error", &json!("no_presence")));
            assert_eq!(error["channel"], "feed");
        }
        // To read it is another matter.
        say(&mut socket, &json!({ "subscribe": { "channel": "feed" } }));
        assert_eq!(event(&mut socket).0, "subscribed");
    });
    asking.await.expect("all are refused");
    let refused = PresenceError::Refused(name("feed"));
    assert_eq!(server.node.presence(&name("feed")), Err(refused));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_not_there_has_no_readers_to_speak_of() {
    let server = Server::start(ChannelOptions::default()).await;
    let address = server.address;
    let asking = tokio::task::spawn_blocking(move || {
        let expected = (404, "unknown_channel".to_owned());
        assert_eq!(refused(address, "GET /channels/none?presence", "*/*"), expected);
        let mut socket = v1(connect(address));
        say(&mut socket, &json!({ "presence": { "channel": "none" } }));
        assert_eq!(event(&mut socket).1["code"], "unknown_channel");
        say(&mut socket, &json!({ "subscribe": { "channel": "none", "presence": true } }));
        assert_eq!(event(&mut socket).1["code"], "unknown_channel");
        say(&mut socket, &json!({ "presence": { "channel": "feed" } }));
        assert_eq!(event(&mut socket).1["readers"], json!([]));
    });
    asking.await.expect("all are refused");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_in_a_form_is_refused_with_a_hint() {
    let server = Server::start(ChannelOptions::default()).await;
    let address = server.address;
    let asking = tokio::task::spawn_blocking(move || {
        let expected = (400, "bad_presence".to_owned());
        for value in ["yes", "Events", "events,now"] {
            let line = format!("GET /channels/feed?presence={value}");
            assert_eq!(refused(address, &line, "*/*"), expected);
        }
        let line = "GET /channels/feed?presence=events";
        assert_eq!(refused(address, line, "application/json"), expected);
        let upgrade = [&UPGRADE[..], &[HOST]].concat();
        let reply = ask(address, line, &upgrade);
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(reply.body.contains("enchufe.v1"), "{reply:?}");
    });
    asking.await.expect("all are refused");
    server.stop().await;
}
