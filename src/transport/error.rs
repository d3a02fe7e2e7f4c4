//! What can go wrong with a transport: one enum per operation.
//!
//! Every message is one line that names the value; the remedy, where there is one, is in `hint()`.

mod bind;
mod open;
mod transfer;

pub use bind::{BindError, BindWarning};
pub use open::OpenError;
pub use transfer::{RecvError, SendError};
