//! Lessons: what the reader of their files says, how one is gone through, and that what ours say is true.

mod course;
mod format;
mod shipped;
