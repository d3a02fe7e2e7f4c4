//! Whether the server lives, and whether it is ready: for whoever starts it and sends it clients.
//!
//! Neither needs any authority, and neither tells a stranger what the channels are called.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hyper::StatusCode;
use serde::Serialize;

use super::{
    Site,
    answer::{Answer, json},
};

/// What has to be there before a server is ready. Cloning it shares it: all listeners of a server
/// have one.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<Unmet>>);

#[derive(Debug, Default)]
struct Unmet {
    next: u64,
    needs: BTreeMap<u64, Missing>,
}

/// What is not ready, and why.
#[derive(Debug, Clone, Serialize)]
struct Missing {
    what: String,
    why: String,
}

/// Something that a server needs to be ready. Dropped before it was met, it is never met.
#[derive(Debug)]
pub struct Need {
    key: u64,
    readiness: Readiness,
}

impl Readiness {
    /// From now on the server is not ready until this is there: the source of a channel, say.
    pub fn need(&self, what: impl Into<String>) -> Need {
        let mut unmet = self.unmet();
        let key = unmet.next;
        unmet.next += 1;
        unmet.needs.insert(key, Missing { what: what.into(), why: "not there yet".to_owned() });
        Need { key, readiness: self.clone() }
    }

    fn missing(&self) -> Vec<Missing> {
        self.unmet().needs.values().cloned().collect()
    }

    fn unmet(&self) -> MutexGuard<'_, Unmet> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Need {
    /// It is there.
    pub fn met(self) {
        self.readiness.unmet().needs.remove(&self.key);
    }

    /// It is not there, and this is why. It may still come.
    pub fn delayed(&self, why: impl Into<String>) {
        if let Some(missing) = self.readiness.unmet().needs.get_mut(&self.key) {
            missing.why = why.into();
        }
    }
}

/// The process runs, and answers.
pub(super) fn live() -> Answer {
    #[derive(Serialize)]
    struct Live {
        live: bool,
    }
    json(StatusCode::OK, &Live { live: true })
}

/// Whether clients will be served: 200, or 503 with what is missing. Where reading needs a token and
/// the request has none, `is_trusted` is false, it is said without the names of channels.
pub(super) async fn ready(site: &Site, is_trusted: bool) -> Answer {
    #[derive(Serialize)]
    struct Ready {
        ready: bool,
        ending: bool,
        missing: Vec<Missing>,
    }
    let ending = site.shutdown.is_requested();
    let mut missing = site.options.readiness.missing();
    if !ending {
        // Those of a server that is ending may have ended already.
        let silent = site.node.silent_shards().await.into_iter();
        missing.extend(silent.map(|shard| Missing {
            what: format!("shard {shard}"),
            why: "it does not answer".to_owned(),
        }));
    }
    if !is_trusted {
        for Missing { what, why } in &mut missing {
            what.truncate(what.find(' ').unwrap_or(what.len()));
            *why = "not ready".to_owned();
        }
    }
    let ready = missing.is_empty() && !ending;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &Ready { ready, ending, missing })
}
