//! The list of metrics in the guide, against what is exported.

use std::collections::BTreeMap;

use enchufe::live::broker::ChannelOptions;

use crate::{
    common::{reader::get, server::Server},
    exposition::{Metrics, scrape},
};

/// The metrics that a page of the guide lists: their types and labels by their names.
fn listed(page: &str) -> BTreeMap<String, (String, Vec<String>)> {
    let path = format!("{}/docs/guide/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let name = cells.first()?.strip_prefix('`')?.strip_suffix('`')?;
        let is_metric = name.starts_with("enchufe_") || name.starts_with("process_");
        let labels = cells.get(2)?.split(", ").filter(|label| !label.is_empty());
        let labels = labels.map(|label| label.trim_matches('`').to_owned()).collect();
        is_metric.then(|| (name.to_owned(), (cells[1].to_owned(), labels)))
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn the_guide_lists_every_metric_that_is_exported_and_no_other() {
    let server = Server::start(ChannelOptions::default()).await;
    server.publish("x").await;
    server.end().await;
    // A gap, and a refusal, without which those two have no rows.
    let (_, _, body) =
        get(server.address, "/channels/feed?since=1-7", "Accept: application/x-ndjson\r\n");
    assert!(body.contains("reset"), "{body}");
    let (status, _, _) = get(server.address, "/nowhere", "");
    assert!(status.contains("404"), "{status}");
    server.until("the reader is gone", |node| node.stats().unfinished == 0).await;
    let reply = scrape(server.address, "text/plain");
    let metrics = Metrics::text(&reply);
    let types = reply.body.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let exported: BTreeMap<_, _> = types
        .map(|(name, kind)| {
            let labels = metrics.samples(name).keys().next();
            let labels: Vec<String> = labels.into_iter().flat_map(|l| l.keys().cloned()).collect();
            (name.to_owned(), (kind.to_owned(), labels))
        })
        .collect();
    assert!(exported.len() > 20, "{exported:?}");
    for page in ["operations.md", "operations.es.md"] {
        assert_eq!(listed(page), exported, "{page}");
    }
    server.stop().await;
}
