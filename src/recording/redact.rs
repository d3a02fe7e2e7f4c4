//! Addresses without what nobody else may know.

/// What stands for what was left out.
const LEFT_OUT: &str = "REDACTED";

/// A parameter with one of these in its name is taken for a credential.
const SECRETS: [&str; 9] =
    ["token", "key", "auth", "pass", "pwd", "secret", "sig", "jwt", "session"];

/// The text of an address without credentials: a user and a password, the values of parameters
/// such as `?token=`, and the arguments of a program, which may hold anything.
pub fn redacted(address: &str) -> String {
    if let Some(words) = address.strip_prefix("exec:") {
        let program = words.split_whitespace().next().unwrap_or_default();
        let has_more = words.trim() != program;
        return format!("exec:{program}{}", if has_more { " …" } else { "" });
    }
    let (place, query) = match address.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (address, None),
    };
    let mut out = without_user(place);
    if let Some(query) = query {
        out.push('?');
        let shown: Vec<String> = query.split('&').map(parameter).collect();
        out.push_str(&shown.join("&"));
    }
    out
}

fn without_user(place: &str) -> String {
    let Some((scheme, rest)) = place.split_once("://") else { return place.to_owned() };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}://{LEFT_OUT}{}", &rest[user.len()..]),
        None => place.to_owned(),
    }
}

fn parameter(parameter: &str) -> String {
    let Some((name, _)) = parameter.split_once('=') else { return parameter.to_owned() };
    let lower = percent_encoding::percent_decode_str(name).decode_utf8_lossy().to_lowercase();
    match SECRETS.iter().any(|secret| lower.contains(secret)) {
        true => format!("{name}={LEFT_OUT}"),
        false => parameter.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn what_says_nothing_secret_stays_as_it_is() {
        for address in [
            "tcp://127.0.0.1:65432",
            "ws://[::1]:8765/a@b?since=all&limit=3",
            "unix:/tmp/a@b",
            "-",
            "exec:cat",
        ] {
            assert_eq!(redacted(address), address);
        }
    }

    #[test]
    fn tokens_passwords_and_arguments_are_left_out() {
        for (address, shown) in [
            ("ws://host/?token=abc&since=all", "ws://host/?token=REDACTED&since=all"),
            ("ws://host/a?Access_Token=a=b", "ws://host/a?Access_Token=REDACTED"),
            ("ws://host/?to%6ben=abc", "ws://host/?to%6ben=REDACTED"),
            ("wss://ana:pass@host:1/a", "wss://REDACTED@host:1/a"),
            ("exec:curl -H 'Authorization: x'", "exec:curl …"),
        ] {
            assert_eq!(redacted(address), shown);
        }
    }
}
