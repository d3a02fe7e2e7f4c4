//! Addresses that may be shown: without what lets whoever reads them in.
//!
//! Errors and logs end up in other people's hands, recordings too. What is secret in an address is
//! its user and password, and the values of queries that are named for secrets.

use std::borrow::Cow;

/// What stands for a secret.
const HIDDEN: &str = "REDACTED";

/// The value of a field of a query whose name holds one of these is secret.
const SECRETS: [&str; 9] =
    ["token", "key", "secret", "pass", "pwd", "auth", "sig", "jwt", "session"];

/// The text of an address, as it was typed or as it is displayed, with `REDACTED` in the place of a user
/// and password before an `@`, and of the values of such fields as `token=` in the query; and
/// without the arguments of a program, which may be anything.
pub fn redacted(text: &str) -> Cow<'_, str> {
    if let Some(command) = text.strip_prefix("exec:") {
        return match command.trim().split_once(char::is_whitespace) {
            Some((program, _)) => Cow::Owned(format!("exec:{program} …")),
            None => Cow::Borrowed(text),
        };
    }
    let (authority, query) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    match (user(authority), secrets(query)) {
        (None, None) => Cow::Borrowed(text),
        (hidden, fields) => {
            let authority = hidden.unwrap_or_else(|| authority.to_owned());
            Cow::Owned(authority + fields.as_deref().unwrap_or(query))
        }
    }
}

/// The text up to the query without its user, if there is one: what stands between `://` and the
/// last `@` before the path.
fn user(text: &str) -> Option<String> {
    let begin = text.find("://")? + "://".len();
    let authority = text[begin..].split('/').next().unwrap_or_default();
    let (_, host) = authority.rsplit_once('@')?;
    let rest = &text[begin + authority.len()..];
    Some(format!("{}{HIDDEN}@{host}{rest}", &text[..begin]))
}

/// The query without its secrets, if there are any.
fn secrets(query: &str) -> Option<String> {
    let mut fields: Vec<Cow<'_, str>> =
        query.split_inclusive(['&', '#']).map(Cow::Borrowed).collect();
    let mut hidden = false;
    for field in &mut fields {
        if let Some(secret) = secret(field) {
            hidden = true;
            let end = &field[field.trim_end_matches(['&', '#']).len()..];
            *field = format!("{}{HIDDEN}{end}", &field[..secret]).into();
        }
    }
    hidden.then(|| fields.concat())
}

/// Where the secret begins in a field of a query. Some servers take a `;` for an `&`; others do
/// not, and have it in their values: all that comes after it is as secret as what comes before.
fn secret(field: &str) -> Option<usize> {
    let bare = field.trim_end_matches(['&', '#']);
    let begins = bare.match_indices(['?', ';']).map(|(at, _)| at + 1);
    std::iter::once(0).chain(begins).find_map(|begin| {
        let (name, value) = bare[begin..].split_once('=')?;
        (!value.is_empty() && is_secret(name)).then_some(begin + name.len() + 1)
    })
}

fn is_secret(name: &str) -> bool {
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().to_lowercase();
    SECRETS.iter().any(|secret| name.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_somebody_in_is_hidden_and_the_rest_stays() {
        for (text, shown) in [
            ("tcp://localhost:65432", "tcp://localhost:65432"),
            ("ws://h/a?since=all&slow=cut", "ws://h/a?since=all&slow=cut"),
            ("ws://h/a?token=abc", "ws://h/a?token=REDACTED"),
            (
                "ws://h/?since=all&Access_Token=a=b&x=1#id",
                "ws://h/?since=all&Access_Token=REDACTED&x=1#id",
            ),
            ("ws://h/?%74oken=abc;d?e&f=1", "ws://h/?%74oken=REDACTED&f=1"),
            ("ws://h/?a=b;apikey=1", "ws://h/?a=b;apikey=REDACTED"),
            ("ws://h/?token=", "ws://h/?token="),
            ("ws://h/#access_token=abc", "ws://h/#access_token=REDACTED"),
            ("wss://ana:se@cret@h:1/a@b", "wss://REDACTED@h:1/a@b"),
            ("unix:/tmp/a@b", "unix:/tmp/a@b"),
            ("ws+unix:/tmp/s:/a?password=x", "ws+unix:/tmp/s:/a?password=REDACTED"),
            ("exec:cat", "exec:cat"),
            ("exec:curl -H 'Authorization: x'", "exec:curl …"),
            ("exec:curl …", "exec:curl …"),
            ("token=a@://b?", "token=a@://b?"),
            ("", ""),
        ] {
            assert_eq!(redacted(text), shown, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic_and_twice_is_once(text in "[a@:/?&=#;ñ%k]{0,4}(token=|://)?.{0,12}") {
            let once = redacted(&text).into_owned();
            proptest::prop_assert_eq!(redacted(&once).into_owned(), once);
        }
    }
}
