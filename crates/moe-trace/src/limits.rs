//! The sizes that are read, at most: nothing larger is allocated, computed with or drawn. All are far beyond what a run of
//! ours can have, and beyond what others were seen to write.

/// Experts of a layer.
pub const EXPERTS: u64 = 1 << 12;
/// Blocks of a model.
pub const LAYERS: u64 = 1 << 10;
/// Tokens of a step.
pub const TOKENS: u64 = 1 << 16;
/// Steps of a file.
pub const STEPS: u64 = 1 << 16;
/// Numbers in all steps of a file, with the rows that a step leaves out because they are as before: 256 MB.
pub const NUMBERS: u64 = 1 << 26;
/// Bytes of a file of steps.
pub const FILE_BYTES: u64 = 1 << 28;
/// Bytes of a name.
pub const NAME_BYTES: u64 = 1 << 8;
/// Bytes of a text: a prompt, a note.
pub const TEXT_BYTES: u64 = 1 << 20;
/// Bytes of a token. The longest that vocabularies in use have are rows of blanks.
pub const TOKEN_BYTES: u64 = 1 << 10;
/// Entries of a list that somebody reads: notes, interventions, models, candidates for the next token.
pub const ENTRIES: u64 = 1 << 10;
