//! Things that are named by a word wherever people write them.

/// An enum with a row for each of its variants: the name in Rust, and the word. `ALL` has them in the order of the rows.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident $word:literal)* }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $(#[$doc])*
        pub enum $name { $($(#[$of])* $variant),* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }

            pub fn of_word(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|named| named.as_str() == word)
            }

            /// All words, for the message where one is unknown.
            pub fn words() -> String {
                $name::ALL.iter().map(|named| named.as_str()).collect::<Vec<_>>().join(", ")
            }
        }
    };
}

pub(crate) use named;
