//! Who is at the other end.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// The other end of a connection.
///
/// Its `Display` is what Python prints for the address of a socket, which is what the tutorial's
/// servers print: `('127.0.0.1', 54321)`, `('::1', 54321, 0, 0)` (address, port, flow information,
/// scope). A Unix-domain socket is its path, `@name`, or `unnamed`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Peer {
    /// An Internet address. IPv4 is IPv4, also when it came in through an IPv6 socket.
    Inet(SocketAddr),
    /// A Unix-domain socket with a path.
    UnixPath(PathBuf),
    /// A Unix-domain socket with an abstract name, without the NUL it begins with.
    UnixAbstract(Vec<u8>),
    /// A Unix-domain socket without a name, as those of clients are.
    UnixUnnamed,
    /// Whoever is behind standard input and output.
    Stdio,
    /// A program that was run, by its name.
    Program(String),
    /// A file.
    File(PathBuf),
}

impl Peer {
    /// The IP address, for those that have one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Inet(address) => Some(address.ip()),
            _ => None,
        }
    }

    /// The display form with every control character escaped, so that a path cannot forge a line
    /// or drive a terminal.
    pub fn escaped(&self) -> String {
        let mut out = String::new();
        for character in self.to_string().chars() {
            if is_unsafe_to_show(character) {
                out.extend(character.escape_unicode());
            } else {
                out.push(character);
            }
        }
        out
    }
}

/// Control characters (C0, C1) and those that reorder text, which could disguise it.
fn is_unsafe_to_show(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        match address.ip().to_canonical() {
            v4 @ IpAddr::V4(_) => Self::Inet(SocketAddr::new(v4, address.port())),
            IpAddr::V6(_) => Self::Inet(address),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(SocketAddr::V4(v4)) => write!(f, "('{}', {})", v4.ip(), v4.port()),
            Self::Inet(SocketAddr::V6(v6)) => {
                write!(f, "('{}', {}, {}, {})", v6.ip(), v6.port(), v6.flowinfo(), v6.scope_id())
            }
            Self::UnixPath(path) => path.display().fmt(f),
            Self::UnixAbstract(name) => write!(f, "@{}", String::from_utf8_lossy(name)),
            Self::UnixUnnamed => f.write_str("unnamed"),
            Self::Stdio => f.write_str("-"),
            Self::Program(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_peer_is_shown_as_pythons_pair() {
        let peer = Peer::from(SocketAddr::from(([127, 0, 0, 1], 54321)));
        assert_eq!(peer.to_string(), "('127.0.0.1', 54321)");
    }

    #[test]
    fn an_ipv6_peer_is_shown_as_pythons_four_part_tuple() {
        let address = std::net::SocketAddrV6::new(std::net::Ipv6Addr::LOCALHOST, 54321, 0, 2);
        assert_eq!(Peer::from(SocketAddr::V6(address)).to_string(), "('::1', 54321, 0, 2)");
    }

    #[test]
    fn an_ipv4_peer_of_a_dual_stack_socket_is_shown_as_ipv4() {
        let mapped: SocketAddr = "[::ffff:192.0.2.7]:80".parse().expect("a socket address");
        assert_eq!(Peer::from(mapped).to_string(), "('192.0.2.7', 80)");
    }

    #[test]
    fn a_path_cannot_forge_a_line_once_escaped() {
        let peer = Peer::UnixPath("/tmp/a\nb\u{1b}[2J\u{202e}".into());
        assert_eq!(peer.escaped(), "/tmp/a\\u{a}b\\u{1b}[2J\\u{202e}");
    }
}
