//! The executable; see the library for everything else.

use std::process::ExitCode;

/// Returns freed memory to the system within a second, and shares it among threads. That of glibc keeps most of it, for
/// each thread separately.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    tvshows::main()
}
