//! Things that are named by a word wherever people write them.

/// An enum with a row for each of its variants: the name in Rust, and the word. `ALL` has them in the order of the rows.
/// A row may name the cargo feature without which there is no such variant: `Losses "losses", only "page"`.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident $word:literal $(, only $feature:literal)?)* }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $(#[$doc])*
        pub enum $name { $($(#[$of])* $(#[cfg(feature = $feature)])? $variant),* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($(#[cfg(feature = $feature)])? $name::$variant),*];

            pub fn as_str(self) -> &'static str {
                match self { $($(#[cfg(feature = $feature)])? $name::$variant => $word),* }
            }

            /// The feature that it needs.
            #[allow(dead_code, reason = "of most enums nobody asks")]
            pub fn feature(self) -> Option<&'static str> {
                match self { $($(#[cfg(feature = $feature)])? $name::$variant => [$($feature)?].first().copied()),* }
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

#[cfg(test)]
mod tests {
    named! {
        /// One is everywhere, one in the whole page's module.
        Row {
            Plain "plain"
            Large "large", only "page"
            Last "last"
        }
    }

    #[test]
    fn a_row_may_belong_to_the_page_alone() {
        let features: Vec<Option<&str>> = Row::ALL.iter().map(|row| row.feature()).collect();
        assert_eq!(features, [None, Some("page"), None]);
        assert_eq!((Row::words(), Row::of_word("large")), ("plain, large, last".to_owned(), Some(Row::Large)));
    }
}
