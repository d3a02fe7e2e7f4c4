//! What can be wrong with the text of an address.

/// Text that is no address. The message is one line and names the value; [`hint`] is the remedy.
///
/// [`hint`]: ParseAddressError::hint
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAddressError {
    /// The text is empty.
    #[error("the address is empty")]
    Empty,
}

impl ParseAddressError {
    /// What to type instead, when that can be told.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Empty => Some("an address looks like tcp://localhost:65432".to_owned()),
        }
    }
}
