//! Shapes of requests: served filled, second choice half, turned away hollow with a notch, dropped hatched with a cross.

use std::borrow::Cow;

use moe_trace::{Assignment, Fate};
use yew::prelude::*;

use crate::run::scene::TokenFate;

/// How a request, or a token's worst request, is drawn. No colour is needed to tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    First,
    Second,
    Lost,
    Dropped,
    /// Withdrawn before capacity was counted.
    Withdrawn,
}

impl Mark {
    /// A lost request of a token that lost all of them is a drop.
    pub fn of(request: &Assignment, token: TokenFate) -> Mark {
        match request.fate {
            Fate::Kept { .. } if request.rank == 0 => Mark::First,
            Fate::Kept { .. } => Mark::Second,
            Fate::Lost if token == TokenFate::Dropped => Mark::Dropped,
            Fate::Lost => Mark::Lost,
            _ => Mark::Withdrawn,
        }
    }

    pub fn name(self) -> Cow<'static, str> {
        match self {
            Mark::First => say!("served, first choice"),
            Mark::Second => say!("served, further choice"),
            Mark::Lost => say!("turned away: expert full"),
            Mark::Dropped => say!("token dropped: all its experts full"),
            Mark::Withdrawn => say!("request withdrawn"),
        }
    }

    pub fn class(self) -> &'static str {
        match self {
            Mark::First => "first",
            Mark::Second => "second",
            Mark::Lost => "lost",
            Mark::Dropped => "dropped",
            Mark::Withdrawn => "withdrawn",
        }
    }
}

pub fn glyph(mark: Mark) -> Html {
    let shape = match mark {
        Mark::First => html! { <rect class="solid" x="1" y="1" width="10" height="10" /> },
        Mark::Second => html! {
            <>
                <rect class="line" x="1.5" y="1.5" width="9" height="9" />
                <rect class="solid" x="1" y="6" width="10" height="5" />
            </>
        },
        Mark::Lost => html! { <path class="line" d="M1.5 1.5h2.2L6 5.2 8.3 1.5h2.2v9h-9z" /> },
        Mark::Dropped => html! {
            <>
                <rect class="line" x="1.5" y="1.5" width="9" height="9" />
                <path class="line" d="M1.5 1.5l9 9M10.5 1.5l-9 9" />
                <path class="hatch" d="M1.5 6L6 1.5M1.5 6L6 10.5M6 10.5L10.5 6M6 1.5L10.5 6" />
            </>
        },
        Mark::Withdrawn => html! { <path class="line" d="M2 6h8" /> },
    };
    html! { <svg class="glyph" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">{ shape }</svg> }
}

/// What the shapes mean, in one line.
pub fn legend() -> Html {
    legend_and(Html::default())
}

/// The same, and behind it what a panel draws besides.
pub fn legend_and(more: Html) -> Html {
    let entry = |mark: Mark, words: Cow<'static, str>| {
        html! { <li title={mark.name()}>{ glyph(mark) }{ words }</li> }
    };
    html! {
        <ul class="legend" aria-label={say!("What the shapes mean")}>
            { entry(Mark::First, say!("served")) }
            { entry(Mark::Second, say!("served, 2nd choice")) }
            { entry(Mark::Lost, say!("turned away")) }
            { entry(Mark::Dropped, say!("dropped")) }
            { more }
        </ul>
    }
}
