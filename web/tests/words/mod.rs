//! What the page shows in other languages: the texts that rules, losses, experiments and models declare are translated, and
//! what is drawn is in the language of the page around it.

mod declared;
mod drawn;
mod fields;
