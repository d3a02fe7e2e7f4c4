//! The echo that most programs on tokio have: a task for each connection, and a copy loop.

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", echo_bench::port()))
        .await
        .expect("a free port");
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a connected socket");
        tokio::spawn(async move {
            let (mut reader, mut writer) = stream.split();
            // Its buffer is 8 KiB.
            tokio::io::copy(&mut reader, &mut writer).await
        });
    }
}
