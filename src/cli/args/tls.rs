//! The words that `feed` and `serve` share: those of TLS.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// The flags of those who serve with TLS.
#[derive(Debug, Clone, Args)]
pub(crate) struct Tls {
    /// https, wss, tls: the server's certificate (PEM), and those that lead to its issuer
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// https, wss, tls: the private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// https, wss, tls: a certificate for development, the same in every run
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(crate) tls_dev: bool,
}
