//! What a browser gets that visits a `ws://` address of `serve` to look: one's own page, or the
//! small built-in one.

use std::path::Path;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{self, HeaderValue},
};

use super::failure::{Failure, LiveFailure};
use crate::{http::Folder, page, transport::ws::PageHandler};

/// Answers for one service, from `own` if it is given.
///
/// # Errors
///
/// When the file or folder is not there.
pub(super) fn handler(service: &str, own: Option<&Path>) -> Result<PageHandler, Failure> {
    let own = own.map(Folder::open).transpose().map_err(LiveFailure::Page)?;
    let document = Bytes::from(page::service(service));
    Ok(PageHandler::new(move |request| {
        let (own, document) = (own.clone(), document.clone());
        async move {
            match (own, page::asset(request.uri().path())) {
                (Some(folder), _) => folder.respond(&request).await,
                (None, Some(asset)) => embedded(
                    asset.content_type,
                    Bytes::from_static(asset.body),
                    page::ASSET_CACHE_CONTROL,
                ),
                (None, None) if request.uri().path().starts_with("/assets/") => missing(),
                (None, None) => {
                    embedded("text/html; charset=utf-8", document, page::DOCUMENT_CACHE_CONTROL)
                }
            }
        }
    }))
}

fn embedded(
    content_type: &'static str,
    body: Bytes,
    cache_control: &'static str,
) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
    for (name, value) in page::SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// An asset of another build.
fn missing() -> Response<Full<Bytes>> {
    let mut answer = embedded("text/plain; charset=utf-8", "not found\n".into(), "no-store");
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}
