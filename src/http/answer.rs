//! Answers: their body, their errors, the headers they have in common.

use std::convert::Infallible;

use bytes::Bytes;
use enchufe_core::ErrorCode;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{
    Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use serde::Serialize;

/// A body that is whole or comes bit by bit.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// An answer.
pub(super) type Answer = Response<Body>;

/// A body that is whole.
pub(super) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

/// An answer with a body of one type, which a client is not to guess.
pub(super) fn answer(status: StatusCode, content_type: &'static str, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A JSON answer, ended by a newline for people with curl.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let mut body = serde_json::to_vec(value).expect("plain data with text keys");
    body.push(b'\n');
    answer(status, "application/json", full(body))
}

/// No content.
pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(full(Bytes::new()));
    *answer.status_mut() = status;
    answer
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal(Box<Reasons>);

#[derive(Debug)]
struct Reasons {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    hint: Option<String>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        code: ErrorCode,
        message: impl std::fmt::Display,
    ) -> Self {
        let message = message.to_string();
        Self(Box::new(Reasons { status, code, message, hint: None, header: None }))
    }

    /// What programs know it by.
    pub(super) fn code(&self) -> &'static str {
        self.0.code.as_str()
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.header = Some((name, HeaderValue::from_static(value)));
        self
    }

    /// `{"error":{"code":…,"message":…,"hint":…}}`.
    pub(super) fn into_answer(self) -> Answer {
        #[derive(Serialize)]
        struct Whole<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            code: ErrorCode,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            hint: Option<&'a str>,
        }
        let Reasons { status, code, message, hint, header } = *self.0;
        let error = Inner { code, message: &message, hint: hint.as_deref() };
        let mut answer = json(status, &Whole { error });
        answer.headers_mut().extend(header);
        answer
    }
}
