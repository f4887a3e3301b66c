//! The page's tests, all in one program: made-up runs, the reducer as lists of actions, and what the views say.

#[global_allocator]
static MEMORY: moe_fuzz::memory::Counting = moe_fuzz::memory::Counting;

mod fixture;

mod drawing;
mod lessons;
mod state;
mod words;
