//! What text means which address, and what the rest gets.

use proptest::prelude::*;

use super::*;

fn serve(text: &str) -> Address {
    Address::parse_serve(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn connect(text: &str) -> Address {
    Address::parse_connect(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The message and the hint that a text gets, in this order.
fn refused(parsed: Result<Address, ParseAddressError>) -> (String, String) {
    let error = parsed.expect_err("no address");
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message:?} is one line");
    (message, error.hint().expect("a hint"))
}

fn name(host: &str, port: u16) -> HostPort {
    HostPort { host: Host::Name(host.to_owned()), port }
}

fn ipv6(address: &str, scope: Option<&str>, port: u16) -> HostPort {
    let address = address.parse().expect("an IPv6 address");
    HostPort { host: Host::V6 { address, scope: scope.map(str::to_owned) }, port }
}

#[test]
fn a_host_and_a_port_are_tcp() {
    let tutorial = HostPort { host: Host::V4([127, 0, 0, 1].into()), port: 65432 };
    assert_eq!(serve("tcp://127.0.0.1:65432"), Address::Tcp(tutorial.clone()));
    assert_eq!(connect("127.0.0.1:65432"), Address::Tcp(tutorial));
    assert_eq!(connect("example.org:80"), Address::Tcp(name("example.org", 80)));
    assert_eq!(connect("TCP://example.org:80"), Address::Tcp(name("example.org", 80)));
    assert_eq!(connect("udp://example.org:53"), Address::Udp(name("example.org", 53)));
}

#[test]
fn a_port_alone_is_served_on_loopback_and_refused_by_connect() {
    assert_eq!(serve("65432"), Address::Tcp(name("localhost", 65432)));
    let (message, hint) = refused(Address::parse_connect("65432"));
    assert!(message.contains("65432"), "{message}");
    assert!(hint.contains("tcp://localhost:65432"), "{hint}");
}

#[test]
fn an_empty_host_and_a_star_are_every_interface() {
    let any = HostPort { host: Host::Any, port: 5000 };
    for text in [":5000", "*:5000", "tcp://:5000", "tcp://*:5000"] {
        assert_eq!(serve(text), Address::Tcp(any.clone()), "{text}");
    }
    assert_eq!(serve("udp://:5000"), Address::Udp(any));
    let (message, hint) = refused(Address::parse_connect(":5000"));
    assert!(message.contains("every interface"), "{message}");
    assert!(hint.contains("tcp://localhost:5000"), "{hint}");
}

#[test]
fn port_0_is_served_and_refused_by_connect() {
    assert_eq!(serve("0"), Address::Tcp(name("localhost", 0)));
    assert_eq!(serve("tcp://localhost:0"), Address::Tcp(name("localhost", 0)));
    for text in ["tcp://localhost:0", "udp://localhost:0", "ws://localhost:0/"] {
        let (message, hint) = refused(Address::parse_connect(text));
        assert!(message.contains(text) && message.contains("port 0"), "{message}");
        assert!(hint.contains("the server prints the port"), "{hint}");
    }
}

#[test]
fn ipv6_stands_in_brackets_with_or_without_a_scope() {
    assert_eq!(serve("tcp://[::1]:80"), Address::Tcp(ipv6("::1", None, 80)));
    assert_eq!(serve("[::]:80"), Address::Tcp(ipv6("::", None, 80)));
    let link_local = Address::Tcp(ipv6("fe80::1", Some("eth0"), 80));
    assert_eq!(serve("tcp://[fe80::1%eth0]:80"), link_local);
    assert_eq!(serve("tcp://[fe80::1%25eth0]:80"), link_local);
    assert_eq!(serve("[fe80::1%3]:80"), Address::Tcp(ipv6("fe80::1", Some("3"), 80)));
    assert_eq!(serve("[fe80::1%25]:80"), Address::Tcp(ipv6("fe80::1", Some("25"), 80)));
    assert_eq!(serve("[fe80::1%25251]:80").to_string(), "tcp://[fe80::1%25251]:80");
}

#[test]
fn ipv6_without_brackets_gets_them_suggested() {
    let (message, hint) = refused(Address::parse_connect("::1:80"));
    assert!(message.contains("::1:80"), "{message}");
    assert_eq!(hint, "try [::1]:80");
    assert_eq!(
        refused(Address::parse_connect("tcp://2001:db8::7:443")).1,
        "try tcp://[2001:db8::7]:443"
    );
    assert_eq!(
        refused(Address::parse_connect("a:b:c")).1,
        "an address looks like HOST:PORT, and with IPv6 like [::1]:65432"
    );
    for text in ["[::1]80", "[127.0.0.1]:80", "[::1%]:80", "[::1%a b]:80", "[]:80"] {
        let (message, hint) = refused(Address::parse_serve(text));
        assert!(message.contains("no IPv6 address in its brackets"), "{text}: {message}");
        assert!(hint.contains("[::1]:65432"), "{hint}");
    }
}

#[test]
fn a_bracket_that_nothing_closes_is_closed_in_the_hint() {
    for (text, expected) in [
        ("tcp://[::1:80", "try tcp://[::1]:80"),
        ("[::1", "try [::1]:65432"),
        ("udp://[fe80::1%eth0:53", "try udp://[fe80::1%eth0]:53"),
        ("ws://[2001:db8::7:8765/chat", "try ws://[2001:db8::7]:8765/chat"),
        ("[name:80", "brackets are for IPv6, as in [::1]:65432 or [fe80::1%eth0]:65432"),
    ] {
        let (message, hint) = refused(Address::parse_serve(text));
        assert!(message.contains("lacks the ] after its IPv6 address"), "{text}: {message}");
        assert_eq!(hint, expected, "{text}");
    }
}

#[test]
fn the_url_of_a_page_is_a_websocket_to_serve_and_a_channel_to_connect_to() {
    for (url, served, connected) in [
        (
            "http://localhost:80",
            "try ws://localhost:80",
            "try ws://localhost:80/channels/NAME, or enchufe follow http://localhost:80/channels/NAME, which resumes by itself",
        ),
        (
            "https://a.example/",
            "try wss://a.example",
            "try wss://a.example/channels/NAME, or enchufe follow https://a.example/channels/NAME, which resumes by itself",
        ),
        ("http://[::1]:80/a?b", "try ws://[::1]:80/a?b", "try ws://[::1]:80/a?b"),
    ] {
        assert_eq!(refused(Address::parse_serve(url)).1, served);
        assert_eq!(refused(Address::parse_connect(url)).1, connected);
    }
}

#[test]
fn a_port_can_be_the_name_of_a_service() {
    assert_eq!(connect("tcp://localhost:http"), Address::Tcp(name("localhost", 80)));
    assert_eq!(connect("udp://localhost:domain"), Address::Udp(name("localhost", 53)));
}

#[test]
fn an_impossible_port_is_named() {
    for (text, port) in [
        ("tcp://localhost:65536", "65536"),
        ("tcp://localhost:99999999999999999999", "99999999999999999999"),
        ("localhost:-1", "-1"),
        ("localhost:+80", "+80"),
        ("localhost:no-such-service", "no-such-service"),
        ("localhost:80 ", "80 "),
        ("localhost:", ""),
        ("ws://localhost:/", ""),
        ("70000", "70000"),
    ] {
        let (message, hint) = refused(Address::parse_serve(text));
        assert!(message.contains(&format!("impossible port: {port:?}")), "{text}: {message}");
        assert!(hint.contains("1 to 65535"), "{hint}");
    }
}

#[test]
fn a_missing_port_gets_one_suggested() {
    assert_eq!(refused(Address::parse_connect("localhost")).1, "try tcp://localhost:65432");
    assert_eq!(refused(Address::parse_connect("udp://[::1]")).1, "try udp://[::1]:65432");
    assert_eq!(refused(Address::parse_serve("tcp://5000")).1, "try tcp://localhost:5000");
}

#[test]
fn an_impossible_host_is_named() {
    for text in ["tcp://a b:80", "tcp://a\nb:80", "tcp://%:80", "tcp://a\0:80", "tcp://<>:80"] {
        let (message, _) = refused(Address::parse_connect(text));
        assert!(message.contains("impossible host"), "{message}");
    }
    let long = "a".repeat(254);
    let (message, _) = refused(Address::parse_connect(&format!("tcp://{long}:80")));
    assert!(message.contains("aaa…") && message.len() < 300, "{message}");
    assert_eq!(
        refused(Address::parse_connect("tcp://ana:secret@host:80")).0,
        "an address takes no user or password"
    );
}

#[test]
fn a_path_after_a_plain_endpoint_is_refused() {
    let (message, hint) = refused(Address::parse_connect("tcp://localhost:80/index"));
    assert!(message.contains("tcp://localhost:80/index"), "{message}");
    assert_eq!(hint, "try tcp://localhost:80");
}

#[test]
fn a_unix_path_is_a_file_or_an_abstract_name() {
    let file = |path: &str| UnixPath::File(PathBuf::from(path));
    assert_eq!(serve("unix:/tmp/a b"), Address::Unix(file("/tmp/a b")));
    assert_eq!(serve("unix:relative.sock"), Address::Unix(file("relative.sock")));
    assert_eq!(serve("unix:///tmp/x"), Address::Unix(file("/tmp/x")));
    assert_eq!(serve("unix:/tmp/a://b"), Address::Unix(file("/tmp/a://b")));
    assert_eq!(connect("unixgram:/tmp/x"), Address::Unixgram(file("/tmp/x")));
    assert_eq!(serve("unix:@name"), Address::Unix(UnixPath::Abstract("name".to_owned())));
    assert_eq!(serve("unix:./@name"), Address::Unix(file("./@name")));
    for text in ["unix:", "unix:@", "unixgram:"] {
        assert!(refused(Address::parse_serve(text)).0.contains("lacks the path"), "{text}");
    }
    let (message, hint) = refused(Address::parse_serve("unix:a\0b"));
    assert!(message.contains(r"\0") && hint.contains("unix:@NAME"), "{message}, {hint}");
}

#[test]
fn a_websocket_address_has_port_80_and_any_path_by_default() {
    let ws = |endpoint, path: Option<&str>| {
        let endpoint = WsEndpoint::Inet(endpoint);
        Address::Ws(WsAddress { endpoint, path: path.map(str::to_owned), is_secure: false })
    };
    assert_eq!(serve("ws://localhost:8765"), ws(name("localhost", 8765), None));
    assert_eq!(serve("ws://localhost:8765/"), ws(name("localhost", 8765), Some("/")));
    assert_eq!(connect("ws://localhost"), ws(name("localhost", 80), None));
    assert_eq!(connect("ws://[::1]/a?b=c"), ws(ipv6("::1", None, 80), Some("/a?b=c")));
    assert_eq!(connect("ws://localhost?b=c"), ws(name("localhost", 80), Some("/?b=c")));
    assert_eq!(connect("ws://localhost/ñ"), ws(name("localhost", 80), Some("/%C3%B1")));
    assert!(refused(Address::parse_connect("ws://localhost/#top")).1.contains("%23"));
    assert!(refused(Address::parse_connect("ws://localhost/a b")).1.contains("percent-encode"));
}

#[test]
fn a_websocket_address_with_tls_has_port_443_by_default() {
    let wss = |endpoint, path: Option<&str>| {
        let endpoint = WsEndpoint::Inet(endpoint);
        Address::Ws(WsAddress { endpoint, path: path.map(str::to_owned), is_secure: true })
    };
    assert_eq!(serve("wss://localhost:8765"), wss(name("localhost", 8765), None));
    assert_eq!(connect("wss://localhost"), wss(name("localhost", 443), None));
    assert_eq!(connect("WSS://[::1]/a?b=c"), wss(ipv6("::1", None, 443), Some("/a?b=c")));
    assert_eq!(connect("wss://localhost/a").to_string(), "wss://localhost:443/a");
    assert_eq!(refused(Address::parse_connect("wss:host")).1, "try wss://host");
    assert_eq!(refused(Address::parse_connect("wsss://host")).1, "did you mean wss://host?");
}

#[test]
fn a_hyphen_or_its_name_is_standard_input_and_output() {
    for text in ["-", "stdio", "stdio:"] {
        assert_eq!((serve(text), connect(text)), (Address::Stdio, Address::Stdio), "{text}");
    }
    assert_eq!(connect("stdio:80"), Address::Tcp(name("stdio", 80)));
}

#[test]
fn an_unknown_scheme_gets_the_nearest_one_suggested() {
    let (message, hint) = refused(Address::parse_connect("tpc://localhost:80"));
    assert!(message.contains("\"tpc\""), "{message}");
    assert_eq!(hint, "did you mean tcp://localhost:80?");
    assert_eq!(
        refused(Address::parse_connect("unxi:/tmp/socket")).1,
        "did you mean unix:/tmp/socket?"
    );
    assert_eq!(refused(Address::parse_connect("udo://host:53")).1, "did you mean udp://host:53?");
    let (message, hint) = refused(Address::parse_connect("gopher://host:70"));
    assert!(
        message.contains("\"gopher\"") && hint.contains("tcp://HOST:PORT"),
        "{message}, {hint}"
    );
}

#[test]
fn tls_is_a_stream_like_tcp() {
    assert_eq!(serve("tls://localhost:8443"), Address::Tls(name("localhost", 8443)));
    assert_eq!(connect("TLS://[::1]:https"), Address::Tls(ipv6("::1", None, 443)));
    assert_eq!(refused(Address::parse_connect("tls:host:443")).1, "try tls://host:443");
    assert_eq!(refused(Address::parse_connect("tls://host")).1, "try tls://host:65432");
    assert_eq!(refused(Address::parse_connect("tls://*:443")).1, "try tls://localhost:443");
    assert!(refused(Address::parse_connect("tls://host:0")).0.contains("port 0"));
}

#[test]
fn websocket_over_a_unix_socket_has_a_socket_and_perhaps_a_url() {
    let ws = |endpoint: UnixPath, path: Option<&str>, is_secure| {
        let path = path.map(str::to_owned);
        Address::Ws(WsAddress { endpoint: endpoint.into(), path, is_secure })
    };
    let file = |path: &str| UnixPath::File(PathBuf::from(path));
    assert_eq!(serve("ws+unix:/tmp/x"), ws(file("/tmp/x"), None, false));
    assert_eq!(connect("ws+unix:/tmp/x:/"), ws(file("/tmp/x"), Some("/"), false));
    assert_eq!(connect("WSS+UNIX:x:/a?b=c"), ws(file("x"), Some("/a?b=c"), true));
    assert_eq!(connect("ws+unix:///tmp/x:/a:/b"), ws(file("/tmp/x"), Some("/a:/b"), false));
    let hidden = UnixPath::Abstract("name".to_owned());
    assert_eq!(serve("wss+unix:@name:/ñ"), ws(hidden, Some("/%C3%B1"), true));
    for text in ["ws+unix:", "ws+unix::/url", "wss+unix:@:/url"] {
        assert!(refused(Address::parse_serve(text)).0.contains("lacks the path"), "{text}");
    }
    assert!(refused(Address::parse_connect("ws+unix:x:/#top")).1.contains("%23"));
    assert_eq!(
        refused(Address::parse_connect("ws+unux:/tmp/x:/")).1,
        "did you mean ws+unix:/tmp/x:/?"
    );
}

#[test]
fn a_program_is_its_words_and_a_file_its_path() {
    let words = |words: &[&str]| {
        Address::Exec(ExecAddress { words: words.iter().map(|&word| word.to_owned()).collect() })
    };
    assert_eq!(serve("exec:cat"), words(&["cat"]));
    assert_eq!(connect("exec:grep -v 'a b'"), words(&["grep", "-v", "a b"]));
    assert_eq!(connect("exec:grep -v 'a b'").to_string(), "exec:grep -v 'a b'");
    for text in ["exec:", "exec:  ", "exec:''"] {
        assert!(refused(Address::parse_serve(text)).0.contains("lacks the program"), "{text}");
    }
    for text in ["exec:a 'b", "exec:a \"b", "exec:a\\", "exec:a\0b"] {
        assert!(refused(Address::parse_serve(text)).0.contains("does not belong"), "{text}");
    }
    let file = |path: &str| Address::File(PathBuf::from(path));
    assert_eq!(connect("file:a b.txt"), file("a b.txt"));
    assert_eq!(connect("file:///tmp/x"), file("/tmp/x"));
    assert_eq!(connect("file:/tmp/@x"), file("/tmp/@x"));
    assert!(refused(Address::parse_serve("file:")).0.contains("lacks the path"));
    assert!(refused(Address::parse_serve("file:a\0b")).0.contains(r"\0"));
}

#[test]
fn the_address_of_a_page_gets_its_websocket_suggested() {
    for (text, hint) in [
        (
            "http://127.0.0.1:5678/channels/time",
            "try ws://127.0.0.1:5678/channels/time, or enchufe follow http://127.0.0.1:5678/channels/time, which resumes by itself",
        ),
        (
            "http://127.0.0.1:5678",
            "try ws://127.0.0.1:5678/channels/NAME, or enchufe follow http://127.0.0.1:5678/channels/NAME, which resumes by itself",
        ),
        (
            "https://example.org/",
            "try wss://example.org/channels/NAME, or enchufe follow https://example.org/channels/NAME, which resumes by itself",
        ),
        (
            "HTTPS://example.org/channels/a",
            "try wss://example.org/channels/a, or enchufe follow https://example.org/channels/a, which resumes by itself",
        ),
        ("http://example.org/chat?room=1", "try ws://example.org/chat?room=1"),
    ] {
        assert_eq!(refused(Address::parse_connect(text)).1, hint);
    }
}

#[test]
fn a_scheme_without_its_slashes_gets_them_suggested() {
    assert_eq!(refused(Address::parse_connect("tcp:localhost:80")).1, "try tcp://localhost:80");
    assert_eq!(refused(Address::parse_serve("udp:5000")).1, "try udp://localhost:5000");
}

#[test]
fn an_http_server_listens_on_a_url_or_what_is_tcp() {
    let parse = |text| HttpAddress::parse_listen(text).map(|address| address.to_string());
    assert_eq!(parse("http://127.0.0.1:5678"), Ok("http://127.0.0.1:5678".to_owned()));
    assert_eq!(parse("http://localhost/"), Ok("http://localhost:80".to_owned()));
    assert_eq!(parse("https://localhost"), Ok("https://localhost:443".to_owned()));
    assert_eq!(parse("HTTPS://[::1]:8443/"), Ok("https://[::1]:8443".to_owned()));
    assert_eq!(parse("5678"), Ok("http://localhost:5678".to_owned()));
    assert_eq!(parse(":5678"), Ok("http://*:5678".to_owned()));
    assert!(parse("udp://localhost:5678").is_err());
    assert!(parse("wss://localhost:5678").is_err());
    assert!(parse("http://localhost/path").is_err());
    assert!(parse("https://localhost/path").is_err());
}

#[test]
fn nothing_at_all_is_an_error_too() {
    assert!(refused(Address::parse_serve("")).0.contains("empty"));
    assert!(refused(Address::parse_connect("")).1.contains("tcp://localhost:65432"));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in r"\PC{0,40}|[-a-z0-9:/@%\[\]?#*. \x00\n]{0,24}") {
        for error in [Address::parse_serve(&text).err(), Address::parse_connect(&text).err()].into_iter().flatten() {
            prop_assert!(!error.to_string().contains('\n'));
            let _ = error.hint();
        }
        let _ = HttpAddress::parse_listen(&text);
    }

    #[test]
    fn what_is_shown_parses_to_the_same_address(
        text in r"((tcp|tls|udp|ws|wss|unix|unixgram|ws\+unix|wss\+unix|exec|file)(://|:))?[a-z0-9:/@%\[\]?*.ñ]{0,16}(:[0-9]{1,5})?(/[a-zñ?%/]{0,8})?"
    ) {
        if let Ok(address) = Address::parse_serve(&text) {
            prop_assert_eq!(Address::parse_serve(&address.to_string()), Ok(address));
        }
        if let Ok(address) = Address::parse_connect(&text) {
            prop_assert_eq!(Address::parse_connect(&address.to_string()), Ok(address));
        }
    }

    #[test]
    fn every_ipv6_endpoint_is_shown_as_it_is_parsed(bits: u128, scope in "|25|[a-z0-9]{1,6}", port: u16) {
        let scope = Some(scope).filter(|scope| !scope.is_empty());
        let address = Address::Udp(HostPort { host: Host::V6 { address: bits.into(), scope }, port });
        prop_assert_eq!(Address::parse_serve(&address.to_string()), Ok(address));
    }
}
