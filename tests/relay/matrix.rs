//! Every transport to every other, both ways.

use enchufe::core::Kind;
use enchufe::transport::Framing;
use enchufe::{Message, relay::Far};

use crate::support::{Relaying, SCHEMES, accept, bytes, folder, listen, next, send, somewhere};

fn is_stream(scheme: &str) -> bool {
    matches!(scheme, "tcp" | "unix")
}

#[tokio::test]
async fn whatever_comes_in_at_one_address_goes_out_at_any_other_and_back() {
    for near in SCHEMES {
        for far in SCHEMES {
            let folder = folder();
            let mut listener = listen(&somewhere(far, &folder, "far")).await;
            let address = listener.local_addresses()[0].clone();
            let relaying = Relaying::start(near, &folder, &address, |_| {}).await;
            let mut client = relaying.open().await;
            send(&mut client, "ñandú").await;
            let mut server = accept(&mut listener).await;
            let pair = format!("{near} → {far}");
            assert_eq!(bytes(&mut server, 7).await, "ñandú".as_bytes(), "{pair}");
            send(&mut server, "adiós").await;
            assert_eq!(bytes(&mut client, 6).await, "adiós".as_bytes(), "{pair}");
            let relayed = relaying.end_with([&mut client, &mut server]).await;
            assert_eq!((relayed.connections, relayed.failed), (1, 0), "{pair}");
            assert_eq!((relayed.forth.bytes, relayed.back.bytes), (7, 6), "{pair}");
            let messages = u64::from(!(is_stream(near) && is_stream(far)));
            assert_eq!(relayed.forth.messages, messages, "{pair}");
        }
    }
}

#[tokio::test]
async fn each_message_stays_one_message_where_both_sides_have_messages() {
    let framed = |options: &mut enchufe::RelayOptions| options.framing = Some(Framing::Length);
    for near in SCHEMES {
        for far in SCHEMES {
            let folder = folder();
            let mut listener = listen(&somewhere(far, &folder, "far")).await;
            let address = listener.local_addresses()[0].clone();
            let relaying = Relaying::start(near, &folder, &address, framed).await;
            let mut client = relaying.open().await.with_framing(Framing::Length);
            let words = ["uno", "dos\n\0", "", "tres"];
            for word in words {
                send(&mut client, word).await;
            }
            let mut server = accept(&mut listener).await.with_framing(Framing::Length);
            for word in words {
                let message = next(&mut server).await.expect("a message");
                assert_eq!(message.payload, word, "{near} → {far}");
                if far == "ws" {
                    assert_eq!(message.kind, Kind::Text, "{near} → {far}");
                }
            }
            relaying.end_with([&mut client, &mut server]).await;
        }
    }
}

#[tokio::test]
async fn every_client_has_a_connection_of_its_own() {
    for near in SCHEMES {
        let folder = folder();
        let mut listener = listen(&somewhere("tcp", &folder, "far")).await;
        let address = listener.local_addresses()[0].clone();
        let relaying = Relaying::start(near, &folder, &address, |_| {}).await;
        let mut clients = Vec::new();
        for word in ["uno", "dos", "tre"] {
            let mut client = relaying.open().await;
            send(&mut client, word).await;
            let mut server = accept(&mut listener).await;
            assert_eq!(bytes(&mut server, 3).await, word.as_bytes(), "{near}");
            clients.push((client, server));
        }
        for (client, server) in &mut clients {
            server.send(Message::binary("ya".to_owned())).await.expect("sent");
            assert_eq!(bytes(client, 2).await, b"ya", "{near}");
        }
        // Nobody waits for goodbyes of those who have gone.
        drop(clients);
        relaying.until_ended(if near == "udp" || near == "unixgram" { 0 } else { 3 }).await;
        assert_eq!(relaying.end().await.connections, 3, "{near}");
    }
}

#[tokio::test]
async fn two_listeners_join_their_clients_in_the_order_in_which_they_come() {
    let folder = folder();
    let near = listen(&somewhere("tcp", &folder, "near")).await;
    let far = listen(&somewhere("ws", &folder, "far")).await;
    let far_address = far.local_addresses()[0].clone();
    let relaying = Relaying::start_with(near, Far::Listener(far), |_| {});
    let mut here = [relaying.open().await, relaying.open().await];
    for (client, word) in here.iter_mut().zip(["1", "2"]) {
        send(client, word).await;
        let mut there = crate::support::open(&far_address).await;
        assert_eq!(next(&mut there).await.expect("a message").payload, word);
        send(&mut there, "yes").await;
        assert_eq!(bytes(client, 3).await, b"yes");
    }
    drop(here);
    relaying.until_ended(2).await;
    relaying.end().await;
}
