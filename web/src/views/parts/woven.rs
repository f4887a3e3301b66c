//! Sentences with elements in them: the template says the words and where each element stands, in any language's order.

use yew::Html;
use yew::virtual_dom::VList;

use crate::words::tongue::{self, Piece};

/// The template in the language of now, with its names replaced by elements. Called through `weave!`.
pub fn woven(template: &'static str, elements: &[(&str, Html)]) -> Html {
    let template = tongue::translated(template);
    let piece = |piece| match piece {
        Piece::Text(words) => Html::from(words.to_owned()),
        Piece::Name(name) => {
            elements.iter().find(|(known, _)| *known == name).map_or_else(Html::default, |(_, element)| element.clone())
        }
    };
    Html::from(VList::with_children(tongue::pieces(&template).map(piece).collect(), None))
}

/// `weave!("{token} asks {expert}", token = html! { <b>{ text }</b> }, expert)`: as `say!`, with an `Html` for each name.
macro_rules! weave {
    ($template:literal, $($name:ident $(= $value:expr)?),+ $(,)?) => {{
        const { assert!($crate::words::tongue::has_names($template, &[$(stringify!($name)),+]), "other names than the template's") };
        $crate::views::parts::woven::woven($template, &[$((stringify!($name), value!($name $(= $value)?))),+])
    }};
}

#[cfg(test)]
mod tests {
    use yew::prelude::*;

    #[test]
    fn elements_stand_where_the_template_says() {
        let expert = html! { <b>{ 3 }</b> };
        let drawn = weave!("the token asks {expert}, and {expert} again", expert = expert.clone());
        let words = |text: &str| Html::from(text.to_owned());
        let expected = [words("the token asks "), expert.clone(), words(", and "), expert, words(" again")];
        let Html::VList(list) = drawn else { panic!("a list of pieces") };
        assert!(list.iter().eq(expected.iter()));
    }
}
