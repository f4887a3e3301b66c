//! The page's tests, all in one program: made-up runs, the reducer as lists of actions, and what the views say.

mod fixture;

mod drawing;
mod state;
