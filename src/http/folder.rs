//! One's own page: a file, or a folder without listing, dotfiles or ways out.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{self, HeaderValue},
};
use percent_encoding::percent_decode_str;

use crate::limits;

/// What GET and HEAD are answered from.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    /// The only file there is, instead of a folder.
    only: Option<PathBuf>,
}

/// Why a page cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve the page '{path}': {error}")]
pub struct OpenFolderError {
    /// The path asked for.
    pub path: String,
    /// What the system said.
    pub error: io::Error,
}

/// Why a request for a file is refused: it is not there, or it is none of the asker's business,
/// which is not told apart.
enum Missing {
    NotFound,
    TooLarge,
}

impl Folder {
    /// A file, which is then all there is, or a folder whose `index.html` is its front page.
    /// It blocks.
    ///
    /// # Errors
    ///
    /// When it is not there or cannot be read.
    pub fn open(path: &Path) -> Result<Self, OpenFolderError> {
        let open = || {
            let path = path.canonicalize()?;
            if path.is_dir() {
                std::fs::read_dir(&path)?;
                return Ok(Self { root: path, only: None });
            }
            std::fs::File::open(&path)?;
            let root = path.parent().unwrap_or(Path::new("/")).to_owned();
            Ok(Self { root, only: Some(path) })
        };
        open().map_err(|error| OpenFolderError { path: path.display().to_string(), error })
    }

    /// Answers GET and HEAD; anything else is 405. The caller has judged the request.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the answer up.
    pub async fn respond<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let is_head = request.method() == Method::HEAD;
        if !is_head && request.method() != Method::GET {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        let (folder, path) = (self.clone(), request.uri().path().to_owned());
        let found = tokio::task::spawn_blocking(move || folder.read(&path)).await;
        match found {
            Ok(Ok((content_type, body))) => {
                let mut answer =
                    Response::new(Full::from(if is_head { Bytes::new() } else { body.clone() }));
                let headers = answer.headers_mut();
                headers.insert(header::CONTENT_TYPE, content_type);
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
                answer
            }
            Ok(Err(Missing::NotFound)) => plain(StatusCode::NOT_FOUND, "not found\n"),
            Ok(Err(Missing::TooLarge)) => {
                plain(StatusCode::PAYLOAD_TOO_LARGE, "the file is too large to be served\n")
            }
            Err(error) => {
                tracing::error!(%error, "reading a file of the page failed");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "the file cannot be read\n")
            }
        }
    }

    fn read(&self, path: &str) -> Result<(HeaderValue, Bytes), Missing> {
        let path = self.locate(path).ok_or(Missing::NotFound)?;
        let size = path.metadata().map_err(|_| Missing::NotFound)?.len();
        if size > limits::PAGE_FILE_BYTES_MAX {
            let (path, limit) = (path.display(), limits::PAGE_FILE_BYTES_MAX);
            tracing::warn!(%path, size, limit, "a file of the page is too large to be served");
            return Err(Missing::TooLarge);
        }
        let body = std::fs::read(&path).map_err(|_| Missing::NotFound)?;
        let guess = mime_guess::from_path(&path).first_or_octet_stream();
        let text = match (guess.type_().as_str(), guess.subtype().as_str()) {
            ("text", _) | ("application", "javascript" | "json") => {
                format!("{}; charset=utf-8", guess.essence_str())
            }
            _ => guess.essence_str().to_owned(),
        };
        let content_type = HeaderValue::from_str(&text)
            .unwrap_or(HeaderValue::from_static("application/octet-stream"));
        Ok((content_type, Bytes::from(body)))
    }

    /// The file a request's path means, if it may be served.
    fn locate(&self, encoded: &str) -> Option<PathBuf> {
        let decoded = percent_decode_str(encoded).decode_utf8().ok()?;
        if let Some(only) = &self.only {
            return (decoded == "/").then(|| only.clone());
        }
        if decoded.contains(['\0', '\\']) {
            return None;
        }
        let mut path = self.root.clone();
        for component in Path::new(decoded.trim_start_matches('/')).components() {
            match component {
                Component::Normal(name) if !name.as_encoded_bytes().starts_with(b".") => {
                    path.push(name);
                }
                _ => return None,
            }
        }
        if path.is_dir() {
            path.push("index.html");
        }
        // Symbolic links are followed, but not to where they leave the folder or reach a dotfile.
        let real = path.canonicalize().ok()?;
        let inside = real.strip_prefix(&self.root).ok()?;
        let hidden =
            inside.components().any(|c| c.as_os_str().as_encoded_bytes().starts_with(b"."));
        (!hidden && real.is_file()).then_some(real)
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(text));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("index.html"), "<p>").expect("a file");
        fs::create_dir(dir.path().join("sub")).expect("a folder");
        fs::write(dir.path().join("sub/a b.js"), "1").expect("a file");
        fs::write(dir.path().join(".secret"), "no").expect("a file");
        let folder = Folder::open(dir.path()).expect("it is there");
        (dir, folder)
    }

    #[test]
    fn files_of_the_folder_are_found_and_nothing_else() {
        let (_dir, folder) = folder();
        for path in ["/", "/index.html", "/sub/a%20b.js", "//index.html"] {
            assert!(folder.locate(path).is_some(), "{path}");
        }
        for path in [
            "/sub",
            "/.secret",
            "/../x",
            "/%2e%2e/x",
            "/sub/../.secret",
            "/sub/%2e%2e/index.html",
            "/none",
            "/a%00",
            "/%ff",
            "/..%2fx",
            "/sub\\a",
        ] {
            assert!(folder.locate(path).is_none(), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_may_not_leave_the_folder_or_reach_a_dotfile() {
        let (dir, folder) = folder();
        let outside = tempfile::NamedTempFile::new().expect("a file");
        std::os::unix::fs::symlink(outside.path(), dir.path().join("out")).expect("a link");
        std::os::unix::fs::symlink(".secret", dir.path().join("shown")).expect("a link");
        std::os::unix::fs::symlink("index.html", dir.path().join("in")).expect("a link");
        assert!(folder.locate("/out").is_none());
        assert!(folder.locate("/shown").is_none());
        assert!(folder.locate("/in").is_some());
    }

    #[test]
    fn a_single_file_is_all_there_is() {
        let (dir, _) = folder();
        let folder = Folder::open(&dir.path().join("index.html")).expect("it is there");
        assert!(folder.locate("/").is_some());
        assert!(folder.locate("/index.html").is_none() && folder.locate("/sub/a%20b.js").is_none());
    }
}
