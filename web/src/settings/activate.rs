//! When the engine may start: it is several megabytes, with its model.

use crate::settings::named::named;

named! {
    /// What it waits for.
    Activate {
        Auto "auto"
        Interaction "interaction"
        Manual "manual"
    }
}
