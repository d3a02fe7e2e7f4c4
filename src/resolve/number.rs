//! The system's numbers for families, socket types and protocols, shown by their names.

use std::fmt;

use serde::{Serialize, Serializer};

/// Defines a number of the system that is shown, and serialized, by its name where it has one.
macro_rules! number {
    ($(#[$doc:meta])* $type:ident: $($(#[$constant_doc:meta])* $constant:ident = $name:literal, $value:expr;)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $type(pub i32);

        impl $type {
            $($(#[$constant_doc])* pub const $constant: Self = Self($value);)+

            /// The name of the number in the system's headers.
            pub fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$constant => Some($name),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => self.0.fmt(f),
                }
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.name() {
                    Some(name) => serializer.serialize_str(name),
                    None => serializer.serialize_i32(self.0),
                }
            }
        }
    };
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const AF_INET6: i32 = 10;
#[cfg(target_vendor = "apple")]
const AF_INET6: i32 = 30;
#[cfg(target_os = "freebsd")]
const AF_INET6: i32 = 28;
#[cfg(windows)]
const AF_INET6: i32 = 23;
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    windows
)))]
const AF_INET6: i32 = 24;

number! {
    /// An address family.
    Family:
    /// IPv4.
    V4 = "AF_INET", 2;
    /// IPv6.
    V6 = "AF_INET6", AF_INET6;
}

number! {
    /// A type of socket.
    SocketType:
    /// A stream of bytes.
    STREAM = "SOCK_STREAM", 1;
    /// Datagrams.
    DATAGRAM = "SOCK_DGRAM", 2;
    /// Packets with the protocol's own header.
    RAW = "SOCK_RAW", 3;
}

number! {
    /// A protocol (IANA's protocol numbers).
    Protocol:
    /// Whatever the type of socket usually has.
    IP = "IPPROTO_IP", 0;
    /// ICMP.
    ICMP = "IPPROTO_ICMP", 1;
    /// TCP.
    TCP = "IPPROTO_TCP", 6;
    /// UDP.
    UDP = "IPPROTO_UDP", 17;
    /// ICMP for IPv6.
    ICMPV6 = "IPPROTO_ICMPV6", 58;
    /// SCTP.
    SCTP = "IPPROTO_SCTP", 132;
    /// UDP-Lite.
    UDPLITE = "IPPROTO_UDPLITE", 136;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_this_system() {
        assert_eq!(Family::V4.0, i32::from(socket2::Domain::IPV4));
        assert_eq!(Family::V6.0, i32::from(socket2::Domain::IPV6));
        assert_eq!(SocketType::STREAM.0, i32::from(socket2::Type::STREAM));
        assert_eq!(SocketType::DATAGRAM.0, i32::from(socket2::Type::DGRAM));
        assert_eq!(Protocol::TCP.0, i32::from(socket2::Protocol::TCP));
        assert_eq!(Protocol::UDP.0, i32::from(socket2::Protocol::UDP));
    }

    #[test]
    fn a_number_without_a_name_is_shown_as_it_is() {
        assert_eq!(Protocol(99).to_string(), "99");
        assert_eq!(serde_json::to_string(&Protocol(99)).expect("a number"), "99");
        assert_eq!(serde_json::to_string(&Protocol::TCP).expect("a name"), r#""IPPROTO_TCP""#);
    }
}
