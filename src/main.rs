//! The program `enchufe`: parse, run, exit.

fn main() -> std::process::ExitCode {
    enchufe::cli::main()
}
