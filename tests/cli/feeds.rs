//! A feed that publishes what is written to it, for those who publish and follow.

use crate::harness::Running;

/// `enchufe feed` on a free port.
pub(crate) struct Feed {
    pub(crate) server: Running,
    /// Where it is, without a slash at the end.
    pub(crate) site: String,
    /// The channel's URL.
    pub(crate) url: String,
}

impl Feed {
    pub(crate) fn start(more: &[&str]) -> Self {
        Self::start_at("http://127.0.0.1:0", more)
    }

    fn start_at(listen: &str, more: &[&str]) -> Self {
        let server = Running::start(&[&["feed", "--listen", listen], more].concat());
        let socket = loop {
            let notice = server.notice();
            if let Some(address) = notice.trim_start().strip_prefix("WebSocket") {
                break address.trim().to_owned();
            }
        };
        let url = socket.replacen("ws", "http", 1);
        let (site, _) = url.split_once("/channels/").expect("a channel's URL");
        Self { site: site.to_owned(), server, url }
    }

    /// Waits until it says that its source has ended.
    pub(crate) fn has_ended(&self) {
        while !self.server.notice().contains("the source has ended") {}
    }
}

/// Another feed where one was killed.
pub(crate) fn restart(killed: Feed, more: &[&str]) -> Feed {
    let site = killed.site.clone();
    assert_eq!(killed.server.end().code, None, "it was killed");
    Feed::start_at(&site, more)
}
