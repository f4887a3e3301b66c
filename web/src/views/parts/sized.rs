//! Sizes that come from numbers. They are attributes of empty SVG elements: a strict security policy drops inline
//! styles, and the first paint is drawn where no script could set them.

use yew::prelude::*;

/// A share as an attribute, from `0%` to `100%`.
fn percent(share: f64) -> String {
    format!("{:.2}%", 100.0 * share)
}

/// A bar that is filled from the left up to a share.
pub fn bar(share: f32) -> Html {
    html! { <span class="bar" aria-hidden="true">{ across("fill", share.into()) }</span> }
}

/// A box as wide as a share of what it is in, and as high as all of it.
pub fn across(class: &'static str, share: f64) -> Html {
    html! { <svg {class} width={percent(share)} height="100%" aria-hidden="true" /> }
}

/// A box as high as a share of what it is in, and as wide as all of it.
pub fn upward(class: &'static str, share: f64) -> Html {
    html! { <svg {class} width="100%" height={percent(share)} aria-hidden="true" /> }
}

/// Puts what it is given on top of a share of the height.
pub fn at_height(share: f64, on_top: Html) -> Html {
    html! { <span class="at-height"><svg width="1" height={percent(share)} aria-hidden="true" />{ on_top }</span> }
}

/// Puts what it is given behind a share of the width.
pub fn at_share(share: f64, behind: Html) -> Html {
    html! { <span class="at-left"><svg width={percent(share)} height="1" aria-hidden="true" />{ behind }</span> }
}

/// Puts what it is given behind so many pixels.
pub fn at_pixel(left: usize, behind: Html) -> Html {
    html! { <span class="at-left"><svg width={left.to_string()} height="1" aria-hidden="true" />{ behind }</span> }
}
