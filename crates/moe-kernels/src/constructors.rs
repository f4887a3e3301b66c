//! Runs the module's static constructors once, in WebAssembly.
//!
//! cubecl registers its instructions in constructors (crate `inventory`). A module that never calls them itself is
//! taken by the linker for a command: every export, down to the one that stores a JavaScript value, then runs all
//! constructors before its own work. A step's trace is thousands of such values; it took a second instead of a
//! millisecond. Calling `__wasm_call_ctors` by name makes the module answer for itself.

#[cfg(target_family = "wasm")]
pub(crate) fn run_once() {
    use std::sync::Once;

    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    static RUN: Once = Once::new();
    // SAFETY: the linker defines the symbol in every module with constructors; they take nothing and run once here.
    RUN.call_once(|| unsafe { __wasm_call_ctors() });
}

/// Elsewhere the loader has run them.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn run_once() {}
