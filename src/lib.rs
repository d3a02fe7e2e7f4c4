//! enchufe

pub use enchufe_core as core;

pub mod guard;
pub mod limits;
pub mod live;
pub mod shutdown;
pub mod source;
