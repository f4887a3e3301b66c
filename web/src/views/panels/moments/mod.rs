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
use crate::words::numbers::{percent, training_tokens};
use crate::words::tongue;

pub static PANEL: Panel = Panel {
    name: PanelName::Moments,
    kind: marked!("Routing time machine"),
    area: "row",
    tab: Tab::Own(marked!("Time")),
    depth: Depth::Lab,
    sees: Sees::Comparisons,
    lacks: |_| None,
    topic: |_| tongue::translated(PANEL.kind).into_owned(),
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
                { say!("A what-if: the text runs through the model as it is, with nobody turned away, and its states are put to the gates \
                   (and the norms before them) as they were. What the model of that moment made of a text is another matter, since \
                   its states were others too: that was recorded of held-out tokens while it was trained.") }
            </p>
        </div>
    }
}

/// What asks the engine, and what came of it.
fn bar(input: &PanelInput) -> Html {
    let then = &input.comparisons.then;
    let is_whole = then.moments.as_deref().is_some_and(|moments| moments.num_tokens == input.scene.tokens.len());
    let words = match (&then.failure, &input.comparisons.cannot) {
        _ if then.waits && input.comparisons.waits => say!("Your run goes first.").into_owned(),
        _ if then.waits => say!("Asking the gates of earlier moments …").into_owned(),
        (Some(error), _) => {
            say!("{what} {why} {try_this}", what = error.what, why = error.why, try_this = error.try_this)
        }
        (None, Some(cannot)) if !is_whole => cannot.to_string(),
        _ => then.moments.as_deref().map_or_else(String::new, |moments| {
            let tokens = many!(moments.num_tokens, "{n} token", "{n} tokens");
            let number = many!(moments.num_moments(), "{n} moment", "{n} moments");
            say!("{moments} of the gates, {tokens} of this text", moments = number, tokens)
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
                <button type="button" class="quiet is-framed" {disabled} {onclick}>{ say!("Ask the gates of earlier moments") }</button>
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
        _ if at == last => say!("at the end, after step {step}", step = steps[last]),
        _ if steps[at] == 0 => say!("before training").into_owned(),
        _ => say!(
            "after step {step} of {last}, {share} of training",
            step = steps[at],
            last = steps[last],
            share = percent(moments.share(at) as f32)
        ),
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
    let title = match tokens {
        None => say!("The moment of the training whose gates route.").into_owned(),
        Some(tokens) => {
            say!("The moment of the training whose gates route. The whole training: {tokens}.", tokens)
        }
    };
    html! {
        <label class="control moments-slider" {title}>
            <span class="control-name">{ say!("Gates") }{ " " }<b aria-hidden="true">{ &words }</b></span>
            <input type="range" aria-label={say!("Moment of the training")} aria-valuetext={words.clone()} min="0"
                max={(moments.num_moments() - 1).to_string()} step="1" value={at.to_string()} {oninput} />
        </label>
    }
}

fn as_table(input: &PanelInput) -> Html {
    let then = &input.comparisons.then;
    let Some(moments) = then.moments.as_deref() else { return Html::default() };
    let layers = &input.scene.layers;
    let names = |first: String, second: String| -> Vec<String> {
        let layers = layers.iter().map(|it| say!("layer {layer}", layer = it.layer));
        [first, second].into_iter().chain(layers).collect()
    };
    let share = |share: f64| percent(share as f32);
    let mut head = names(say!("step").into(), say!("of training").into());
    head.extend([say!("mean").into_owned(), say!("recorded of held-out tokens, mean").into_owned()]);
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
            say!("{then} (today {today})", then = rows::experts(asked), today = rows::experts(today))
        }));
        cells
    };
    let of_tokens = names("#".to_owned(), say!("token").into());
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let of_tokens: Vec<&str> = of_tokens.iter().map(String::as_str).collect();
    html! {
        <>
            { table(&say!("Share of the requests that go where today's gates send them"), &head, (0..moments.num_moments()).map(of_moment)) }
            { table(
                &say!("Experts asked by the gates {moment}", moment = moment_words(moments, then.at)),
                &of_tokens,
                (0..moments.num_tokens).map(of_token),
            ) }
        </>
    }
}
