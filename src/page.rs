//! The page for people, embedded: two documents and the assets that they load.
//!
//! `build.rs` gathers them from `web/` and from npm, so that one binary is all there is to install
//! and a page never loads anything from elsewhere. Nothing here opens a socket: whoever speaks
//! HTTP asks for a path and sends what it gets, with [`SECURITY_HEADERS`] on every answer.

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `ETag`, quotes included: strong, made of the content (RFC 9110 §8.8.3).
    pub etag: &'static str,
    /// The bytes.
    pub body: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What the pages may do, for `Content-Security-Policy`: their own scripts, styles and connections.
///
/// `'self'` covers `ws:` and `wss:` on the page's own host and port (CSP 3 §6.7.2.8).
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The headers of every answer that carries a document or an asset.
pub const SECURITY_HEADERS: [(&str, &str); 4] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// `Cache-Control` for a document: ask each time, by its `ETag`.
pub const DOCUMENT_CACHE_CONTROL: &str = "no-cache";

/// `Cache-Control` for an [`asset`]: another build has other paths.
pub const ASSET_CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// The asset at a request's path (`/assets/BUILD/NAME`), if this build has it.
pub fn asset(path: &str) -> Option<Asset> {
    let name = path.strip_prefix(FOLDER)?.strip_prefix('/')?;
    let index = ASSETS.binary_search_by_key(&name, |(name, _)| name).ok()?;
    Some(ASSETS[index].1)
}

/// The page of the channels: the same document at `/` and at each `/channels/NAME`.
pub fn feeds() -> Asset {
    PAGE
}

/// The small page of one service (`echo`, `greet`, `clock`, `random`), for a browser that visits a
/// WebSocket address by HTTP: its messages, and a box to send unless it is `clock` or `random`.
///
/// Characters of the name other than ASCII letters and digits are left out.
pub fn service(name: &str) -> String {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    String::from_utf8_lossy(SMALL.body).replace("{{service}}", &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(asset: Asset) -> &'static str {
        std::str::from_utf8(asset.body).expect("the page is UTF-8")
    }

    /// The paths in a document's `href="/assets…"` and `src="/assets…"`.
    fn references(document: &str) -> Vec<&str> {
        document.split('"').filter(|part| part.starts_with("/assets/")).collect()
    }

    #[test]
    fn every_asset_that_a_document_loads_is_embedded() {
        for document in [PAGE, SMALL] {
            let references = references(text(document));
            assert!(references.len() >= 3);
            for path in references {
                assert!(asset(path).is_some(), "{path}");
            }
        }
    }

    #[test]
    fn every_module_that_a_script_imports_is_embedded() {
        for (name, script) in ASSETS.iter().filter(|(name, _)| name.ends_with(".js")) {
            for import in text(*script).split("from \"./").skip(1) {
                let import = import.split('"').next().expect("split gives a first part");
                assert!(asset(&format!("{FOLDER}/{import}")).is_some(), "{name} imports {import}");
            }
        }
    }

    #[test]
    fn the_documents_have_no_inline_script_or_style() {
        for document in [PAGE, SMALL] {
            let text = text(document);
            assert!(!text.contains("<style") && !text.contains("style="));
            assert!(
                text.matches("<script").count()
                    == text.matches("<script type=\"module\" src=").count()
            );
        }
    }

    #[test]
    fn a_path_that_is_no_asset_is_none() {
        for path in ["/assets/page.js", "/assets/", "/", &format!("{FOLDER}/../page.js"), FOLDER] {
            assert!(asset(path).is_none(), "{path}");
        }
    }

    #[test]
    fn different_assets_have_different_etags() {
        let mut etags: Vec<_> = ASSETS.iter().map(|(_, asset)| asset.etag).collect();
        etags.sort_unstable();
        etags.dedup();
        assert_eq!(etags.len(), ASSETS.len());
    }

    #[test]
    fn the_small_page_names_its_service_and_nothing_else() {
        assert!(service("greet").contains("data-service=\"greet\""));
        assert!(service("\"><script>").contains("data-service=\"script\""));
    }
}
