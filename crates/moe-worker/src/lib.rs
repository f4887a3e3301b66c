//! The engine inside a web worker.
