//! enchufe

pub use enchufe_core as core;

pub mod address;
pub mod cli;
pub mod guard;
pub mod http;
pub mod limits;
pub mod live;
pub mod page;
pub mod resolve;
pub mod serve;
pub mod service;
pub mod shutdown;
pub mod source;
pub mod transport;

pub use address::Address;
pub use enchufe_core::Message;
pub use serve::{ServeOptions, serve};
pub use service::Service;
pub use shutdown::Shutdown;
pub use source::Source;
pub use transport::{BindOptions, Connection, Listener, OpenOptions};
