//! enchufe
fn main() {}
