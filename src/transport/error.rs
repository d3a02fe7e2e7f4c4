//! What can go wrong with a transport: one enum per operation.
//!
//! Every message is one line that names the value; the remedy, where there is one, is in `hint()`.

mod bind;
mod interface;
mod open;
mod transfer;

pub use bind::{BindError, BindWarning};
pub use interface::InterfaceError;
pub use open::OpenError;
pub(crate) use open::{families, shown_local, without_tls};
pub use transfer::{RecvError, SendError};

/// What to do about a link-local address without its scope, for both operations.
const NO_SCOPE_HINT: &str = "name the interface, as in [fe80::1%eth0]:65432";
