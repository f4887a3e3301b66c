//! How far into the matter the whole page goes.

use std::borrow::Cow;

use crate::settings::named::named;

named! {
    /// From the first word to every measurement. Each shows the same run, and no reader loses anything by changing it.
    #[derive(PartialOrd, Ord, Default)]
    Depth {
        /// For a reader who has never heard of all this.
        Story "story"
        /// For a reader who wants to see every decision.
        #[default]
        Inspect "inspect"
        /// For a reader who asks what would have happened otherwise.
        Lab "lab"
    }
}

impl Depth {
    /// As the page's switch calls it.
    pub fn title(self) -> Cow<'static, str> {
        match self {
            Depth::Story => say!("Story"),
            Depth::Inspect => say!("Inspect"),
            Depth::Lab => say!("Lab"),
        }
    }

    /// What there is to see, for who hesitates.
    pub fn says(self) -> Cow<'static, str> {
        match self {
            Depth::Story => say!("One picture, one event, one control"),
            Depth::Inspect => say!("Every decision of the run, with its numbers"),
            Depth::Lab => say!("All of Inspect, and below it methods, measurements and experiments"),
        }
    }
}
