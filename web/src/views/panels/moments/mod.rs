//! Routing time machine: the gates of earlier moments of the training over the text on the screen, beside today's.
//!
//! It is a what-if, and says so: the states are today's, only gates (and the norms before them) are of the moment. What the
//! models of these moments did themselves is known of held-out tokens, and drawn beside it.

mod curve;
mod finding;
mod rows;

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::run::moments::Moments;
use crate::run::text::inline;
use crate::settings::view::PanelName;
use crate::state::Action;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::at_rest::AtRest;
use crate::views::parts::table::table;
use crate::words::numbers::{count, percent, training_tokens};

pub static PANEL: Panel = Panel {
    name: PanelName::Moments,
    kind: "Routing time machine",
    area: "row",
    tab: Tab::Own("Time"),
    depth: Depth::Lab,
    sees: Sees::Comparisons,
    lacks: |_| None,
    topic: |_| PANEL.kind.to_owned(),
    finding: finding::finding,
    badges: |_| Html::default(),
    picture,
    table: Some(as_table),
};

fn picture(input: &PanelInput) -> Html {
    let then = &input.comparisons.then;
    html! {
        <div class="moments">
            { bar(input) }
            if let Some(moments) = then.moments.as_deref() {
                { slider(input, moments) }
                { rows::rows(input, moments) }
                { curve::curve(moments, then.at, input.selection.layer) }
            }
            <p class="fine">
                { "A what-if: the text runs through the model as it is, with nobody turned away, and its states are put to the gates \
                   (and the norms before them) as they were. What the model of that moment made of a text is another matter, since \
                   its states were others too: that was recorded of held-out tokens while it was trained." }
            </p>
        </div>
    }
}

/// What asks the engine, and what came of it.
fn bar(input: &PanelInput) -> Html {
    let then = &input.comparisons.then;
    let is_whole = then.moments.as_deref().is_some_and(|moments| moments.num_tokens == input.scene.tokens.len());
    let words = match (&then.failure, &input.comparisons.cannot) {
        _ if then.waits && input.comparisons.waits => "Your run goes first.".to_owned(),
        _ if then.waits => "Asking the gates of earlier moments …".to_owned(),
        (Some(error), _) => format!("{} {} {}", error.what, error.why, error.try_this),
        (None, Some(cannot)) if !is_whole => cannot.to_string(),
        _ => then.moments.as_deref().map_or_else(String::new, |moments| {
            let tokens = count(moments.num_tokens, "token", "tokens");
            format!("{} of the gates, {tokens} of this text", count(moments.num_moments(), "moment", "moments"))
        }),
    };
    let onclick = {
        let dispatch = input.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::RouteThen))
    };
    let disabled = then.waits || input.comparisons.cannot.is_some();
    html! {
        <div class="comparison-bar">
            if !is_whole {
                <button type="button" class="quiet is-framed" {disabled} {onclick}>{ "Ask the gates of earlier moments" }</button>
            }
            <span class="fine">{ words.clone() }</span>
            <AtRest {words} />
        </div>
    }
}

/// "after step 53 of 4800, 1.1 % of training".
fn moment_words(moments: &Moments, at: usize) -> String {
    let (steps, last) = (&moments.history.steps, moments.num_moments() - 1);
    match at {
        _ if at == last => format!("at the end, after step {}", steps[last]),
        _ if steps[at] == 0 => "before training".to_owned(),
        _ => format!("after step {} of {}, {} of training", steps[at], steps[last], percent(moments.share(at) as f32)),
    }
}

fn slider(input: &PanelInput, moments: &Moments) -> Html {
    let at = input.comparisons.then.at;
    let oninput = {
        let dispatch = input.dispatch.clone();
        Callback::from(move |event: InputEvent| {
            let field: HtmlInputElement = event.target_unchecked_into();
            dispatch.emit(Action::SetMoment(field.value_as_number() as u32));
        })
    };
    let words = moment_words(moments, at);
    let tokens = input.scene.recording.model.training_tokens.map(training_tokens);
    let whole = tokens.map(|tokens| format!(" The whole training: {tokens}.")).unwrap_or_default();
    html! {
        <label class="control moments-slider" title={format!("The moment of the training whose gates route.{whole}")}>
            <span class="control-name">{ "Gates " }<b aria-hidden="true">{ &words }</b></span>
            <input type="range" aria-label="Moment of the training" aria-valuetext={words.clone()} min="0"
                max={(moments.num_moments() - 1).to_string()} step="1" value={at.to_string()} {oninput} />
        </label>
    }
}

fn as_table(input: &PanelInput) -> Html {
    let then = &input.comparisons.then;
    let Some(moments) = then.moments.as_deref() else { return Html::default() };
    let layers = &input.scene.layers;
    let names = |head: &[&str]| -> Vec<String> {
        head.iter()
            .map(|name| (*name).to_owned())
            .chain(layers.iter().map(|it| format!("layer {}", it.layer)))
            .collect()
    };
    let share = |share: f64| percent(share as f32);
    let mut head = names(&["step", "of training"]);
    head.extend(["mean".to_owned(), "recorded of held-out tokens, mean".to_owned()]);
    let of_moment = |moment: usize| {
        let mut cells = vec![moments.history.steps[moment].to_string(), share(moments.share(moment))];
        cells.extend(moments.saturation.iter().map(|layer| share(layer[moment])));
        cells.extend([share(moments.mean(moment)), share(moments.recorded_mean(moment))]);
        cells
    };
    let of_token = |token: usize| {
        let mut cells = vec![token.to_string(), inline(input.scene.token_text(token))];
        cells.extend((0..layers.len()).map(|layer| {
            let (asked, today) = (moments.asked(then.at, layer, token), moments.asked_today(layer, token));
            format!("{} (today {})", rows::experts(asked), rows::experts(today))
        }));
        cells
    };
    let of_tokens = names(&["#", "token"]);
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let of_tokens: Vec<&str> = of_tokens.iter().map(String::as_str).collect();
    html! {
        <>
            { table("Share of the requests that go where today's gates send them", &head, (0..moments.num_moments()).map(of_moment)) }
            { table(
                &format!("Experts asked by the gates {}", moment_words(moments, then.at)),
                &of_tokens,
                (0..moments.num_tokens).map(of_token),
            ) }
        </>
    }
}
