//! An echo server on fastwebsockets.
//!
//! The crate writes each frame by itself, as its README shows. With replies together, its halves
//! are apart and a `BufWriter` is under the writing one, which is flushed when no frame is ready.

use std::pin::pin;
use std::task::Poll;

use echo_bench::{Sending, tokio_server};
use fastwebsockets::{Frame, OpCode, Role, WebSocket, WebSocketError, after_handshake_split};
use tokio::io::BufWriter;
use tokio::net::TcpStream;

fn main() {
    let sending = Sending::from_arguments();
    tokio_server::serve(move |mut stream| async move {
        tokio_server::handshake(&mut stream).await;
        // A peer that leaves ends its connection, and nobody waits for the reason.
        let _ = match sending {
            Sending::Each => each(stream).await,
            Sending::WhenIdle => when_idle(stream).await,
        };
    });
}

async fn each(stream: TcpStream) -> Result<(), WebSocketError> {
    let mut socket = WebSocket::after_handshake(stream, Role::Server);
    socket.set_writev(true);
    socket.set_auto_close(true);
    socket.set_auto_pong(true);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => {
                socket.write_frame(Frame::new(true, frame.opcode, None, frame.payload)).await?;
            }
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

async fn when_idle(stream: TcpStream) -> Result<(), WebSocketError> {
    let (read, write) = stream.into_split();
    let write = BufWriter::with_capacity(64 * 1024, write);
    let (mut reader, mut writer) = after_handshake_split(read, write, Role::Server);
    let mut answer = |_: Frame<'_>| std::future::ready(Ok::<(), WebSocketError>(()));
    loop {
        let frame = {
            let mut next = pin!(reader.read_frame(&mut answer));
            let ready = std::future::poll_fn(|context| match next.as_mut().poll(context) {
                Poll::Ready(frame) => Poll::Ready(Some(frame)),
                Poll::Pending => Poll::Ready(None),
            });
            match ready.await {
                Some(frame) => frame?,
                None => {
                    writer.flush().await?;
                    next.await?
                }
            }
        };
        match frame.opcode {
            OpCode::Text | OpCode::Binary => {
                writer.write_frame(Frame::new(true, frame.opcode, None, frame.payload)).await?;
            }
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}
