//! An echo server on wtx, which writes each frame by itself.

use echo_bench::tokio_server;
use wtx::collection::Vector;
use wtx::rng::{Xorshift64, simple_seed};
use wtx::web_socket::{OpCode, WebSocket, WebSocketBuffer, WebSocketPayloadOrigin};

fn main() {
    tokio_server::serve(move |mut stream| async move {
        tokio_server::handshake(&mut stream).await;
        let random = Xorshift64::from(simple_seed());
        let buffer = WebSocketBuffer::with_capacity(0, 0, 0).expect("no memory is asked for");
        let mut socket = WebSocket::<_, _, _, _, false>::new((), false, random, stream, buffer);
        let (mut common, mut reader, mut writer) = socket.split_mut();
        let mut payload = Vector::new();
        loop {
            let origin = WebSocketPayloadOrigin::Adaptive;
            let Ok(mut frame) = reader.read_frame(&mut payload, &mut common, origin).await else {
                return;
            };
            let is_over = match frame.op_code() {
                OpCode::Text | OpCode::Binary => {
                    writer.write_frame(&mut common, &mut frame).await.is_err()
                }
                OpCode::Close => true,
                _ => false,
            };
            if is_over {
                return;
            }
        }
    });
}
