//! A feed on fastwebsockets: a task and a channel for each viewer, and what waits in the channel
//! leaves with one flush of the `BufWriter` under the writing half.

use echo_bench::tokio_server;
use fanout_bench::Hub;
use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocketError, after_handshake_split};
use std::{pin::pin, sync::Arc};
use tokio::{io::BufWriter, net::TcpStream, sync::mpsc};

/// More than what mostly waits for one viewer.
const BUFFER_BYTES: usize = 4 * 1024;

fn main() {
    let hub = Hub::<Arc<str>>::default();
    tokio_server::serve_with(
        {
            let hub = hub.clone();
            async move { hub.read_lines(Arc::from).await }
        },
        move |stream| {
            let hub = hub.clone();
            async move {
                // A viewer who leaves ends its connection, and nobody waits for the reason.
                let _ = view(stream, &hub).await;
            }
        },
    );
}

async fn view(mut stream: TcpStream, hub: &Hub<Arc<str>>) -> Result<(), WebSocketError> {
    tokio_server::handshake(&mut stream).await;
    let (read, write) = stream.into_split();
    let write = BufWriter::with_capacity(BUFFER_BYTES, write);
    let (mut reader, mut writer) = after_handshake_split(read, write, Role::Server);
    reader.set_auto_pong(false);
    let mut messages = hub.join();
    let (pings, mut pinged) = mpsc::channel::<Vec<u8>>(8);
    let mut answer = |_: Frame<'_>| std::future::ready(Ok::<(), WebSocketError>(()));
    let mut reading = pin!(async move {
        loop {
            let frame = reader.read_frame(&mut answer).await?;
            match frame.opcode {
                OpCode::Ping => drop(pings.try_send(frame.payload.to_vec())),
                OpCode::Close => return Ok::<(), WebSocketError>(()),
                _ => {}
            }
        }
    });
    loop {
        tokio::select! {
            message = messages.recv() => {
                let mut next = message;
                while let Some(message) = next {
                    writer.write_frame(Frame::text(Payload::Borrowed(message.as_bytes()))).await?;
                    next = messages.try_recv().ok();
                }
                writer.flush().await?;
            }
            Some(payload) = pinged.recv() => {
                writer.write_frame(Frame::pong(Payload::Owned(payload))).await?;
                writer.flush().await?;
            }
            read = &mut reading => return read,
        }
    }
}
