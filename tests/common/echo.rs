//! A listener's clients, each served by the convenient form of a connection.

use enchufe::Listener;

/// Accepts for ever and sends back what comes, until the test's runtime ends.
pub fn echo_for_ever(mut listener: Listener) {
    tokio::spawn(async move {
        loop {
            let mut connection = listener.accept().await;
            tokio::spawn(async move {
                while let Ok(Some(message)) = connection.recv().await {
                    if connection.send(message).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
}
