//! A running relay with a listener behind it, and what it said happened.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use enchufe::address::Address;
use enchufe::recording::{Entry, What};
use enchufe::relay::{Event, Far, Journal, Near, Observer, Relayed, Sink};
use enchufe::shutdown::Trigger;
use enchufe::{
    BindOptions, Connection, Listener, Message, OpenOptions, RelayOptions, Shutdown, relay,
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything that works takes, so that what hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The transports that can be listened on.
pub(crate) const SCHEMES: [&str; 5] = ["tcp", "unix", "udp", "unixgram", "ws"];

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Somewhere to listen with this scheme: a free port, or a name in the folder.
pub(crate) fn somewhere(scheme: &str, folder: &TempDir, name: &str) -> Address {
    let text = match scheme {
        "unix" | "unixgram" => format!("{scheme}:{}", folder.path().join(name).display()),
        _ => format!("{scheme}://127.0.0.1:0"),
    };
    Address::parse_serve(&text).expect("an address")
}

pub(crate) async fn listen(address: &Address) -> Listener {
    Listener::bind(address, &BindOptions::default()).await.expect("a listener")
}

pub(crate) async fn open(address: &Address) -> Connection {
    Connection::open(address, &OpenOptions::default()).await.expect("a connection")
}

/// A running relay.
pub(crate) struct Relaying {
    pub(crate) address: Address,
    pub(crate) trigger: Trigger,
    running: JoinHandle<Relayed>,
    events: Arc<Mutex<Vec<String>>>,
}

impl Relaying {
    /// Listens with `scheme`, and opens `far` for each client.
    pub(crate) async fn start(
        scheme: &str,
        folder: &TempDir,
        far: &Address,
        change: impl FnOnce(&mut RelayOptions),
    ) -> Self {
        let listener = listen(&somewhere(scheme, folder, "near")).await;
        let far = Far::Address(far.clone(), OpenOptions::default());
        Self::start_with(listener, far, change)
    }

    pub(crate) fn start_with(
        listener: Listener,
        far: Far,
        change: impl FnOnce(&mut RelayOptions),
    ) -> Self {
        let address = listener.local_addresses()[0].clone();
        let events = Arc::new(Mutex::new(Vec::new()));
        let mut options = RelayOptions::default();
        options.observer = observer(Arc::clone(&events));
        change(&mut options);
        let (trigger, shutdown) = Shutdown::new();
        let running = tokio::spawn(relay(Near::Listener(listener), far, options, shutdown));
        Self { address, trigger, running, events }
    }

    pub(crate) async fn open(&self) -> Connection {
        open(&self.address).await
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn end(self) -> Relayed {
        self.trigger.request();
        self.ended().await
    }

    /// Asks it to end while both sides listen, so that they answer.
    pub(crate) async fn end_with(self, sides: [&mut Connection; 2]) -> Relayed {
        let [one, other] = sides.map(|side| async {
            while let Ok(Some(_)) = side.recv().await {}
            std::future::pending::<()>().await;
        });
        tokio::select! {
            relayed = self.end() => relayed,
            _ = async { tokio::join!(one, other) } => unreachable!("they listen for ever"),
        }
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(self) -> Relayed {
        timeout(PATIENCE, self.running).await.expect("in time").expect("no panic")
    }

    pub(crate) fn events(&self) -> Vec<String> {
        self.events.lock().expect("not poisoned").clone()
    }

    /// Waits until so many connections have ended.
    pub(crate) async fn until_ended(&self, count: usize) {
        let ended = |event: &&String| event.starts_with("ended");
        until(async || self.events().iter().filter(ended).count() >= count).await;
    }
}

fn observer(events: Arc<Mutex<Vec<String>>>) -> Observer {
    Observer::new(move |event| {
        let text = match event {
            Event::Opened { number, .. } => format!("opened {number}"),
            Event::Ended(report) => match &report.trouble {
                None => format!("ended {}", report.number),
                Some(trouble) => format!("ended {}: {trouble}", report.number),
            },
            Event::Refused { connections_max, .. } => format!("refused, {connections_max} max"),
            Event::Dropped(count) => format!("dropped {count}"),
            _ => unreachable!("an event of a new kind"),
        };
        events.lock().expect("not poisoned").push(text);
    })
}

/// Waits until something is so that gives no sign when it becomes so.
pub(crate) async fn until(mut so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("in time");
}

/// The next client of a listener.
pub(crate) async fn accept(listener: &mut Listener) -> Connection {
    timeout(PATIENCE, listener.accept()).await.expect("in time")
}

/// The next message, or the end.
pub(crate) async fn next(connection: &mut Connection) -> Option<Message> {
    timeout(PATIENCE, connection.recv()).await.expect("in time").expect("received")
}

/// So many bytes, in however many messages they come.
pub(crate) async fn bytes(connection: &mut Connection, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        bytes.extend_from_slice(&next(connection).await.expect("more").payload);
    }
    bytes
}

/// Everything until the end.
pub(crate) async fn rest(connection: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(message) = next(connection).await {
        bytes.extend_from_slice(&message.payload);
    }
    bytes
}

pub(crate) async fn send(connection: &mut Connection, text: &str) {
    connection.send(Message::text(text)).await.expect("sent");
}

/// A journal whose entries can be waited for.
pub(crate) fn journal() -> (Journal, mpsc::UnboundedReceiver<What>) {
    struct Tell(mpsc::UnboundedSender<What>);

    impl Sink for Tell {
        fn write(&mut self, entry: &Entry) -> io::Result<()> {
            let _ = self.0.send(entry.what.clone());
            Ok(())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let (tell, told) = mpsc::unbounded_channel();
    let (journal, _keeping) = Journal::start(vec![Box::new(Tell(tell))]).expect("a thread");
    (journal, told)
}

/// Waits for the entry that is wanted, and skips the others.
pub(crate) async fn told(
    entries: &mut mpsc::UnboundedReceiver<What>,
    wanted: impl Fn(&What) -> bool,
) -> What {
    let waiting = async {
        loop {
            let what = entries.recv().await.expect("it goes on");
            if wanted(&what) {
                return what;
            }
        }
    };
    timeout(PATIENCE, waiting).await.expect("in time")
}
