//! Ten thousand channels.

use enchufe::{core::Message, limits, live::broker::ChannelOptions};

use crate::{
    common::server::{Server, name},
    exposition::{Metrics, scrape},
};

const CHANNELS: usize = 10_000;
const OTHERS: &str = "/others";

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_bound_channels_are_summed_up_and_nothing_is_lost() {
    let server = Server::start(ChannelOptions::default()).await;
    let broker = server.node.broker();
    for number in 0..CHANNELS {
        let channel = name(&format!("many/{number:05}"));
        broker.declare(&channel, ChannelOptions::default());
        broker.publish(&channel, vec![Message::text("x")], None).await.expect("it is there");
    }
    let reply = scrape(server.address, "text/plain");
    let metrics = Metrics::text(&reply);
    // `feed` is there, too.
    assert_eq!(metrics.value("enchufe_channels", &[]), CHANNELS as f64 + 1.0);
    let others = CHANNELS + 1 - limits::METRICS_CHANNELS_MAX;
    assert_eq!(metrics.value("enchufe_channels_others", &[]), others as f64);
    for metric in metrics.names().filter(|name| name.starts_with("enchufe_channel_")) {
        let mut channels: Vec<_> =
            metrics.samples(metric).keys().map(|labels| labels["channel"].as_str()).collect();
        channels.dedup();
        assert!(channels.len() <= limits::METRICS_CHANNELS_MAX + 1, "{metric}: {}", channels.len());
    }
    let published = "enchufe_channel_published_total";
    assert_eq!(metrics.samples(published).len(), limits::METRICS_CHANNELS_MAX + 1);
    assert_eq!(metrics.sum(published), CHANNELS as f64);
    assert_eq!(metrics.channel(published, OTHERS), others as f64);
    assert_eq!(metrics.sum("enchufe_channel_log_messages"), CHANNELS as f64);
    assert!(OTHERS.parse::<enchufe::core::ChannelName>().is_err(), "no channel is called so");
    // Whoever has figures of its own keeps them, whatever comes.
    broker.declare(&name("a/first/one"), ChannelOptions::default());
    for channel in ["a/first/one", "many/00000", "many/09999"] {
        broker.publish(&name(channel), vec![Message::text("y")], None).await.expect("there");
    }
    let again = Metrics::of(server.address);
    assert_eq!(again.channel(published, "many/00000"), 2.0);
    assert_eq!(again.channel(published, OTHERS), others as f64 + 2.0);
    assert_eq!(again.sum(published), CHANNELS as f64 + 3.0);
    server.stop().await;
}
