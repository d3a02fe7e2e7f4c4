//! enchufe

pub use enchufe_core as core;

pub mod address;
pub mod cli;
pub mod guard;
pub mod limits;
pub mod live;
pub mod resolve;
pub mod serve;
pub mod service;
pub mod shutdown;
pub mod source;
pub mod transport;
