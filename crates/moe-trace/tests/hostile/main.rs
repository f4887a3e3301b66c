//! Files that somebody brings, or spoils: each is read and right, or refused with the place and both numbers.

mod contradictions;
mod fuzz;
mod small;

#[global_allocator]
static MEMORY: moe_fuzz::memory::Counting = moe_fuzz::memory::Counting;
