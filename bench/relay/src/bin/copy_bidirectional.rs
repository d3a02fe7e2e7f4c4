//! A TCP proxy as tokio's documentation has it: `copy_bidirectional BUFFER_BYTES LISTEN CONNECT`.

use tokio::{
    io::copy_bidirectional_with_sizes,
    net::{TcpListener, TcpStream},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1);
    let mut word = || words.next().expect("BUFFER_BYTES LISTEN CONNECT");
    let bytes: usize = word().parse().expect("a number of bytes");
    let (listen, connect) = (word(), word());
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (mut near, _) = listener.accept().await?;
        let connect = connect.clone();
        tokio::spawn(async move {
            let mut far = TcpStream::connect(connect).await?;
            near.set_nodelay(true)?;
            far.set_nodelay(true)?;
            copy_bidirectional_with_sizes(&mut near, &mut far, bytes, bytes).await
        });
    }
}
