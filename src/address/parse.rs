//! The grammar.

use super::{Address, HostPort, ParseAddressError};

impl Address {
    /// Parses an address to listen on.
    ///
    /// # Errors
    ///
    /// When the text is no address, or one that cannot be served.
    pub fn parse_serve(text: &str) -> Result<Self, ParseAddressError> {
        parse(text)
    }

    /// Parses an address to connect to.
    ///
    /// # Errors
    ///
    /// When the text is no address, or one that cannot be connected to, such as port 0.
    pub fn parse_connect(text: &str) -> Result<Self, ParseAddressError> {
        parse(text)
    }
}

impl HostPort {
    /// Parses where an HTTP server listens: `http://HOST:PORT`, `HOST:PORT` or a port of loopback.
    ///
    /// # Errors
    ///
    /// As [`Address::parse_serve`].
    pub fn parse_http_listen(text: &str) -> Result<Self, ParseAddressError> {
        match parse(text)? {
            Address::Tcp(endpoint) => Ok(endpoint),
            _ => Err(ParseAddressError::Empty),
        }
    }
}

fn parse(text: &str) -> Result<Address, ParseAddressError> {
    if text == "-" { Ok(Address::Stdio) } else { Err(ParseAddressError::Empty) }
}
