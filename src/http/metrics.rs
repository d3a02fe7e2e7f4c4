//! `GET /metrics`: how the server stands, for Prometheus and, as JSON, for `enchufe top`.
//!
//! Everything is added up when it is asked for. Channels with figures of their own are bounded in
//! number; the others are summed under a label that no channel can have.

mod exposition;
mod report;

use std::sync::Arc;

use hyper::{HeaderMap, StatusCode, header};

use super::{
    Site,
    answer::{Answer, answer, full, json},
    fields::preferred,
    process::Process,
};
use crate::live::Figures;

/// The value of the label `channel` for all channels without figures of their own: a channel's name
/// does not begin with a slash.
const OTHERS: &str = "/others";

/// What is answered: all of it from one moment.
#[derive(Debug)]
struct Standing {
    figures: Figures,
    process: Option<Process>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    /// Prometheus' text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
    Json,
}

/// In the order of preference when a request has none.
const OFFERED: [(Form, &str, &str); 3] = [
    (Form::Text, "text", "plain"),
    (Form::OpenMetrics, "application", "openmetrics-text"),
    (Form::Json, "application", "json"),
];

/// The metrics in the form that is asked for; who accepts none of them gets text all the same.
pub(super) async fn respond(site: &Arc<Site>, headers: &HeaderMap) -> Answer {
    let figures = site.node.figures().await;
    let form = preferred(headers, &OFFERED).unwrap_or(Form::Text);
    let written = tokio::task::spawn_blocking(move || {
        let standing = Standing { figures, process: Process::this() };
        match form {
            Form::Json => json(StatusCode::OK, &report::Report::new(&standing)),
            Form::OpenMetrics => {
                let text = exposition::open_metrics(standing);
                const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                answer(StatusCode::OK, TYPE, full(text))
            }
            Form::Text => {
                let text = exposition::text(&exposition::open_metrics(standing));
                answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", full(text))
            }
        }
    });
    let mut answer = written.await.expect("numbers can be written down");
    answer.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    answer
}
