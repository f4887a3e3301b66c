//! Runs one wasm test file in a real browser: the runner of wasm-bindgen, locked to the version the project is built with.
//!
//! Cargo calls it as the runner of the wasm target; `cargo xtask test wasm` sets that up.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}
