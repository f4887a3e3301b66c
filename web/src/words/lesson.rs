//! What a lesson says of answers and guesses. Its own sentences are in its file.

pub const RIGHT: &str = marked!("Right.");
pub const SHOWN: &str = marked!("This is how it can be done. Check it when the picture has come to rest.");
pub const RESTS: &str = marked!("This control rests at this step of the lesson.");
pub const NO_RUN: &str = marked!("There is no run to look at yet.");
pub const WORKING: &str = marked!("The model is at work; try again when it has come to rest.");
pub const LOADING: &str = marked!("The model is still loading; this step needs a run of its own.");
pub const NOT_RUN: &str = marked!("The picture is still of the settings before; press Run.");
pub const NO_ENGINE: &str =
    marked!("This step needs a run with other settings, and there is no engine here to make it; go on without.");
pub const NO_MODEL: &str = marked!("This step needs a model that is not here; go on without.");
pub const NOTHING_TO_GUESS: &str = marked!("This run has no such numbers; go on without.");
/// Is there nothing to wait for?
pub fn is_final(why_not_yet: &str) -> bool {
    why_not_yet == NO_ENGINE || why_not_yet == NO_MODEL
}

/// In the place of a picture that would tell.
pub const COVERED: &str = marked!("Covered until you have drawn what you expect");
