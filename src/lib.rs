//! enchufe

pub use enchufe_core as core;

pub mod cli;
pub mod guard;
pub mod limits;
pub mod shutdown;
pub mod source;
