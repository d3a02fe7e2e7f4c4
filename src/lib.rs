//! enchufe
pub use enchufe_core as core;

pub mod page;
