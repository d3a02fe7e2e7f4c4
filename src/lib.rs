//! enchufe
pub mod cli;
pub use enchufe_core as core;
