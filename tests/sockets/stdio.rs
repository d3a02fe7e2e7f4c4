//! Standard input and output as a connection, in a process whose own they are.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Duration;

use enchufe::address::Address;
use enchufe::transport::{Framing, Peer};

use crate::child;
use crate::common::{bind, open};

#[test]
fn standard_input_comes_back_on_standard_output() {
    let mut process = child::command("stdio::child_that_echoes", &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    process.stdin.take().expect("piped").write_all(b"one\r\ntwo\nthree").expect("written");
    let output = process.wait_with_output().expect("ended");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("echo one\necho two\necho three\n"), "{shown}");
}

#[tokio::test]
async fn child_that_echoes() {
    if !child::is_child() {
        return;
    }
    let mut listener = bind("-").await;
    assert_eq!(listener.local_addresses(), [Address::Stdio]);
    let mut connection = listener.accept().await.with_framing(Framing::Lines);
    assert_eq!((connection.peer(), connection.is_stream()), (&Peer::Stdio, true));
    while let Some(line) = connection.recv().await.expect("received") {
        let answer = format!("echo {}", line.to_text());
        connection.send(enchufe::core::Message::text(answer)).await.expect("sent");
    }
    connection.finish().await.expect("flushed");
    // There is one standard input, so that no second client ever comes.
    tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.expect_err("nobody");
}

#[test]
fn a_runtime_ends_although_standard_input_does_not() {
    let mut process = child::command("stdio::child_that_leaves", &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a process");
    // Held open: nothing is ever written to it.
    let stdin = process.stdin.take();
    assert!(process.wait().expect("ended").success());
    drop(stdin);
}

#[tokio::test]
async fn child_that_leaves() {
    if !child::is_child() {
        return;
    }
    let mut connection = open(&Address::Stdio).await;
    tokio::time::timeout(Duration::from_millis(50), connection.recv())
        .await
        .expect_err("nothing comes");
}

#[test]
fn a_closed_standard_output_is_a_closed_connection() {
    let mut process = child::command("stdio::child_whose_reader_leaves", &[])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    // The harness of the child has written its own lines by then.
    let mut stderr = BufReader::new(process.stderr.take().expect("piped"));
    wait_for(&mut stderr, "begun");
    drop(process.stdout.take());
    wait_for(&mut stderr, "closed");
    process.wait().expect("ended");
}

fn wait_for(stderr: &mut impl BufRead, word: &str) {
    let found = stderr.lines().any(|line| line.expect("a line") == word);
    assert!(found, "the child never said {word}");
}

#[tokio::test]
async fn child_whose_reader_leaves() {
    if !child::is_child() {
        return;
    }
    let mut connection = open(&Address::Stdio).await;
    let _ = std::io::stderr().write_all(b"begun\n");
    let error = loop {
        if let Err(error) = connection.send(enchufe::core::Message::text("anybody there?\n")).await
        {
            break error;
        }
    };
    assert!(matches!(error, enchufe::transport::SendError::Closed { .. }), "{error:?}");
    // The harness, which also writes to standard output, may fail after this.
    let _ = std::io::stderr().write_all(b"closed\n");
}
