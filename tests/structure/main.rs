//! The shape of the code, as ARCHITECTURE.md draws it, held by tests.

mod bounds;
mod codes;
mod direction;
mod examples;
mod files;
mod imports;
mod invariants;
mod texts;
