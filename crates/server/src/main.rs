//! Aether Nexus, from the command line.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match aether_server::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The outermost sentence says what to do; what lies beneath it is for whoever digs.
            eprintln!("error: {error}");
            let mut told = error.to_string();
            for cause in error.chain().skip(1).map(ToString::to_string) {
                // Some errors say what is beneath them by themselves.
                if !told.contains(&cause) {
                    eprintln!("  because: {cause}");
                }
                told = cause;
            }
            ExitCode::FAILURE
        }
    }
}
