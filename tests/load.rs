//! The load generator against servers that answer well, wrongly, too much or not at all.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use enchufe::address::Address;
use enchufe::load::{LoadError, LoadOptions, Pace, Report, Tally, ViewError, Viewing, load, view};
use enchufe::service::{Echo, ServiceError};
use enchufe::{BindOptions, Connection, Listener, Message, ServeOptions, Service, Shutdown, serve};
use tokio::sync::Notify;
use tokio::time::timeout;

/// Longer than any test needs.
const LONG: Duration = Duration::from_secs(30);

/// Serves on a free port for as long as the test lasts.
async fn served<S: Service + Send + Sync + 'static>(address: &str, service: S) -> Address {
    let address = Address::parse_serve(address).expect("an address");
    let listener = Listener::bind(&address, &BindOptions::default()).await.expect("a free port");
    let bound = listener.local_addresses()[0].clone();
    tokio::spawn(serve(vec![listener], service, ServeOptions::default(), Shutdown::never()));
    bound
}

/// A few messages, and all the time they need.
fn options(connections: usize, pace: Pace, count: u64) -> LoadOptions {
    let mut options = LoadOptions::default();
    (options.connections, options.pace, options.count) = (connections, pace, Some(count));
    options.duration = LONG;
    options
}

async fn report(address: &Address, options: &LoadOptions) -> Result<Report, LoadError> {
    let tally = Arc::new(Tally::default());
    let never = Shutdown::never();
    timeout(LONG, load(address, options, &tally, &never)).await.expect("it ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_is_answered_and_counted_on_streams_and_over_websocket() {
    for address in ["tcp://127.0.0.1:0", "ws://127.0.0.1:0"] {
        let address = served(address, Echo).await;
        for (pace, size) in [
            (Pace::InFlight(1), 64),
            (Pace::InFlight(32), 1),
            (Pace::InFlight(3), 100_000),
            (Pace::Rate(20_000.0), 64),
        ] {
            let mut options = options(7, pace, 500);
            options.size = size;
            let report = report(&address, &options).await.expect("it is there");
            assert!(report.is_flawless(), "{report:?}");
            assert_eq!((report.connections, report.sent, report.answered), (7, 500, 500));
            let latency = report.latency_us.expect("there were answers");
            assert!(latency.min > 1.0 && latency.min <= latency.p50, "{latency:?}");
            assert!(latency.p50 <= latency.p999 && latency.p999 <= latency.max, "{latency:?}");
            assert_eq!(report.cpu_us_per_message, None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_warm_up_is_not_in_the_report_and_the_process_is() {
    let address = served("tcp://127.0.0.1:0", Echo).await;
    let mut options = options(2, Pace::InFlight(1), u64::MAX);
    options.warmup = Duration::from_millis(200);
    options.duration = Duration::from_millis(200);
    options.pid = Some(std::process::id());
    let tally = Arc::new(Tally::default());
    let loading = load(&address, &options, &tally, &Shutdown::never()).await;
    let report = loading.expect("it is there");
    assert!(report.is_flawless() && report.answered > 0, "{report:?}");
    assert_eq!(report.sent, report.answered);
    assert_eq!(tally.progress().answered, report.answered);
    assert!(report.cpu_us_per_message.is_some_and(|micros| micros > 0.0), "{report:?}");
    // As `seconds` is counted from the end of the warm-up, so is the rest.
    let rate = report.answered as f64 / report.seconds;
    assert!((rate - report.answers_per_second).abs() < 1.0, "{report:?}");
}

/// Answers each message in another way.
struct Odd(fn(usize, Message) -> Vec<Message>);

impl Service for Odd {
    async fn serve(&self, mut connection: Connection, _: Shutdown) -> Result<(), ServiceError> {
        let mut number = 0;
        while let Some(message) = connection.recv().await? {
            for answer in self.0(number, message) {
                connection.send(answer).await?;
            }
            number += 1;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_and_those_that_nobody_asked_for_are_counted() {
    let one = options(1, Pace::InFlight(1), 20);
    let wrong = Odd(|number, message| match number % 2 {
        0 => vec![Message::text("something else")],
        _ => vec![message],
    });
    let report_of_wrong = report(&served("ws://127.0.0.1:0", wrong).await, &one).await;
    let wrong = report_of_wrong.expect("it is there");
    assert_eq!((wrong.answered, wrong.different, wrong.lost), (20, 10, 0), "{wrong:?}");

    let twice = Odd(|number, message| vec![message; if number == 0 { 2 } else { 1 }]);
    let report_of_twice = report(&served("ws://127.0.0.1:0", twice).await, &one).await;
    let twice = report_of_twice.expect("it is there");
    // From then on each answer is one to the message before.
    assert!(twice.unasked + twice.different > 0 && !twice.is_flawless(), "{twice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_answered_is_lost_and_a_lost_connection_is_told() {
    let silent = Odd(|number, message| if number == 5 { vec![] } else { vec![message] });
    let report_of_silent =
        report(&served("ws://127.0.0.1:0", silent).await, &options(1, Pace::InFlight(4), 10)).await;
    let silent = report_of_silent.expect("it is there");
    assert_eq!((silent.sent, silent.answered, silent.lost, silent.broken), (10, 9, 1, 0));

    struct Leaves;
    impl Service for Leaves {
        async fn serve(&self, mut connection: Connection, _: Shutdown) -> Result<(), ServiceError> {
            for _ in 0..3 {
                if let Some(message) = connection.recv().await? {
                    connection.send(message).await?;
                }
            }
            Ok(())
        }
    }
    let address = served("ws://127.0.0.1:0", Leaves).await;
    let gone = report(&address, &options(2, Pace::InFlight(1), 100)).await.expect("it is there");
    assert_eq!((gone.connections, gone.broken, gone.answered), (2, 2, 6), "{gone:?}");
    assert!(gone.trouble.is_some(), "{gone:?}");
    assert_eq!(gone.sent - gone.answered, gone.lost);
}

/// Answers nothing before it is told to.
struct Stalls(Arc<Notify>);

impl Service for Stalls {
    async fn serve(&self, mut connection: Connection, _: Shutdown) -> Result<(), ServiceError> {
        self.0.notified().await;
        while let Some(message) = connection.recv().await? {
            connection.send(message).await?;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_rate_messages_are_sent_whatever_the_server_does_and_all_that_waited_is_seen() {
    const COUNT: u64 = 200;
    let gate = Arc::new(Notify::new());
    let address = served("tcp://127.0.0.1:0", Stalls(Arc::clone(&gate))).await;
    let tally = Arc::new(Tally::default());
    let loading = {
        let (tally, options) = (Arc::clone(&tally), options(1, Pace::Rate(1_000.0), COUNT));
        tokio::spawn(async move { load(&address, &options, &tally, &Shutdown::never()).await })
    };
    // A generator that waits for answers would never get so far.
    while tally.progress().sent < COUNT {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(tally.progress().answered, 0);
    gate.notify_one();
    let report = loading.await.expect("no panic").expect("it is there");
    assert!(report.is_flawless() && report.answered == COUNT, "{report:?}");
    // They were due a millisecond after each other and answered together: the first waited for as
    // long as it took to send the others, and half of them for half of that.
    let latency = report.latency_us.expect("there were answers");
    assert!(latency.max > 199_000.0 && latency.p50 > 90_000.0, "{latency:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_come_from_the_sources_in_turn() {
    struct Remembers(Arc<Mutex<HashSet<IpAddr>>>);
    impl Service for Remembers {
        async fn serve(&self, connection: Connection, stop: Shutdown) -> Result<(), ServiceError> {
            let ip = connection.peer().ip().expect("an Internet address");
            self.0.lock().expect("a set").insert(ip);
            Echo.serve(connection, stop).await
        }
    }
    let seen = Arc::default();
    let address = served("tcp://127.0.0.1:0", Remembers(Arc::clone(&seen))).await;
    let mut options = options(4, Pace::InFlight(1), 40);
    options.sources = ["127.0.0.2", "127.0.0.3"].map(|ip| ip.parse().expect("an IP")).to_vec();
    assert!(report(&address, &options).await.expect("it is there").is_flawless());
    assert_eq!(*seen.lock().expect("a set"), options.sources.iter().copied().collect());
}

#[tokio::test]
async fn who_cannot_be_loaded_is_told_apart() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", nobody.local_addr().expect("its address"));
    drop(nobody);
    let address = Address::parse_connect(&address).expect("an address");
    let one = options(3, Pace::InFlight(1), 1);
    let error = report(&address, &one).await.expect_err("nobody listens");
    assert!(matches!(error, LoadError::Open(_)), "{error}");

    let datagrams = Address::parse_connect("udp://127.0.0.1:9").expect("an address");
    let error = report(&datagrams, &one).await.expect_err("they are datagrams");
    assert!(matches!(error, LoadError::Datagrams(_)), "{error}");

    let mut no_process = one.clone();
    no_process.pid = Some(u32::MAX);
    let error = report(&address, &no_process).await.expect_err("there is no such process");
    assert!(matches!(error, LoadError::Process(_)), "{error}");

    let mut too_many = one;
    too_many.connections = enchufe::limits::LOAD_CONNECTIONS_MAX + 1;
    let error = report(&address, &too_many).await.expect_err("there are not so many");
    assert!(matches!(error, LoadError::Bound { what: "connections", .. }), "{error}");
}

/// How many messages the channel below has.
const MESSAGES: u64 = 40;

/// A channel by `enchufe.v1`, of which each viewer gets what is made of it for the viewer.
struct Spoiled {
    viewers: AtomicUsize,
    offsets: fn(usize) -> Vec<u64>,
}

impl Service for Spoiled {
    async fn serve(&self, mut connection: Connection, _: Shutdown) -> Result<(), ServiceError> {
        if connection.recv().await?.is_none() {
            return Ok(());
        }
        let viewer = self.viewers.fetch_add(1, Ordering::Relaxed);
        let subscribed = r#"{"subscribed":{"channel":"feed","position":"1-0"}}"#;
        connection.send(Message::text(subscribed)).await?;
        for offset in (self.offsets)(viewer) {
            let event = match offset {
                0 => r#"{"gap":{"channel":"feed","after":"1-3","next":"1-5"}}"#.to_owned(),
                _ => format!(
                    r#"{{"message":{{"channel":"feed","position":"1-{offset}",
                    "time":"2026-01-02T03:04:05Z","data":"\"{offset}\""}}}}"#
                ),
            };
            connection.send(Message::text(event)).await?;
        }
        while connection.recv().await?.is_some() {}
        Ok(())
    }
}

/// What is found of three viewers; who reads it again afterwards is the fourth.
async fn viewing(offsets: fn(usize) -> Vec<u64>) -> Viewing {
    let service = Spoiled { viewers: AtomicUsize::new(0), offsets };
    let address = served("ws://127.0.0.1:0", service).await;
    let channel = format!("{}/channels/feed", address.to_string().trim_end_matches('/'));
    let channel = Address::parse_connect(&channel).expect("an address");
    let mut options = LoadOptions::default();
    (options.connections, options.duration) = (3, Duration::from_millis(300));
    let never = Shutdown::never();
    let viewing = view(&channel, &options, None, &never);
    timeout(LONG, viewing).await.expect("it ends").expect("it is there")
}

fn all() -> Vec<u64> {
    (1..=MESSAGES).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_who_have_everything_are_flawless() {
    let viewing = viewing(|_| all()).await;
    assert!(viewing.is_flawless(), "{viewing:?}");
    assert_eq!((viewing.viewers, viewing.messages), (3, MESSAGES));
    assert_eq!(viewing.deliveries, 3 * MESSAGES);
    assert!(viewing.latency_us.is_some_and(|latency| latency.min > 0.0), "{viewing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_that_is_skipped_repeated_or_late_is_found() {
    type Case = (fn(usize) -> Vec<u64>, [u64; 4]);
    let cases: [Case; 5] = [
        // In the middle, and at the end, where nothing comes behind it.
        (|n| all().into_iter().filter(|o| n != 1 || *o != 7).collect(), [1, 0, 0, 0]),
        (|n| all().into_iter().filter(|o| n != 1 || *o != MESSAGES).collect(), [1, 0, 0, 0]),
        // For everybody, so that only who reads it again has it.
        (|n| all().into_iter().filter(|o| n == 3 || *o != 7).collect(), [3, 0, 0, 0]),
        (
            |n| {
                let mut offsets = all();
                if n == 1 {
                    offsets.insert(9, 7);
                }
                offsets
            },
            [0, 1, 0, 0],
        ),
        (
            |n| {
                let mut offsets = all();
                if n == 1 {
                    offsets.swap(4, 5);
                }
                offsets
            },
            [0, 0, 1, 0],
        ),
    ];
    for (number, (offsets, expected)) in cases.into_iter().enumerate() {
        let viewing = viewing(offsets).await;
        let found = [viewing.missing, viewing.repeated, viewing.disordered, viewing.gaps];
        assert_eq!(found, expected, "case {number}: {viewing:?}");
        assert!(!viewing.is_flawless());
    }
    let told =
        viewing(|n| all().into_iter().map(|o| if n == 1 && o == 4 { 0 } else { o }).collect());
    let told = told.await;
    assert_eq!((told.missing, told.gaps), (1, 1), "{told:?}");
}

#[tokio::test]
async fn what_is_no_channel_has_no_viewers() {
    for address in ["tcp://127.0.0.1:9", "ws://127.0.0.1:9/", "ws://127.0.0.1:9/channels/"] {
        let address = Address::parse_connect(address).expect("an address");
        let never = Shutdown::never();
        let error = view(&address, &LoadOptions::default(), None, &never).await;
        assert!(matches!(error, Err(ViewError::NoChannel(_))), "{address}: {error:?}");
    }
}
