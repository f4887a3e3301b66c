//! A lesson's bar above the figure: the sentence, how far one is, a task or a guess, and the way on.

mod guess;

use yew::prelude::*;

use crate::settings::lesson::{Lesson, SHIPPED, Step, Task};
use crate::state::course::{Course, Turn};
use crate::state::{Action, State};
use crate::views::parts::sized::across;
use crate::words::lesson as words;
use crate::words::tongue;
use guess::guess;

/// Nothing unless a lesson is open.
pub fn lesson_bar(state: &State, dispatch: &Callback<Action>) -> Html {
    let course = state.course();
    let (Some(lesson), Some(step)) = (course.lesson(), course.step()) else { return Html::default() };
    let turn = |turn: Turn| {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::Lesson(turn.clone())))
    };
    let title = tongue::translated(&lesson.title).into_owned();
    html! {
        <section class="lesson" aria-label={say!("Lesson: {title}", title)}>
            <header class="lesson-head">
                <h2 class="topic">{ &title }</h2>
                { progress(lesson, course) }
                <button type="button" class="quiet" aria-label={say!("Close the lesson")} onclick={turn(Turn::Open(None))}>{ "×" }</button>
            </header>
            // The live region is always there: one that appears with its text is not read.
            <div role="status" aria-live="polite">
                <p class="lesson-say">{ tongue::translated(&step.say).into_owned() }</p>
                if let Task::Ask(ask) = &step.task {
                    <p class="lesson-ask">{ tongue::translated(&ask.ask).into_owned() }</p>
                }
            </div>
            if let Task::Predict(predicted) = step.task {
                { guess(state, predicted, dispatch) }
            }
            <p class="lesson-verdict" role="status">
                { course.verdict() }
                if let Some(reveal) = step.reveal.as_ref().filter(|_| course.is_done()) {
                    { " " }{ tongue::translated(reveal).into_owned() }
                }
            </p>
            { buttons(state, step, &turn) }
        </section>
    }
}

fn progress(lesson: &Lesson, course: &Course) -> Html {
    let (number, of) = (course.at() + 1, lesson.steps.len());
    html! {
        <span class="lesson-progress">
            <span class="bar" aria-hidden="true">{ across("fill", number as f64 / of as f64) }</span>
            { say!("{number} of {of}", number, of) }
        </span>
    }
}

fn buttons(state: &State, step: &Step, turn: &impl Fn(Turn) -> Callback<MouseEvent>) -> Html {
    let course = state.course();
    let (words, main) = match &step.task {
        Task::Predict(_) if !course.is_done() => (say!("Show the real ones"), Turn::Reveal),
        Task::Ask(_) if !course.is_done() => (say!("Check"), Turn::Check),
        _ if course.is_at_end() => (say!("End of the lesson"), Turn::Next),
        _ => (say!("Next"), Turn::Next),
    };
    let is_stuck = !course.is_done() && (course.tries() > 0 || state.why_not_yet().is_some_and(words::is_final));
    let can_show = matches!(&step.task, Task::Ask(ask) if !ask.solution.is_empty());
    html! {
        <div class="lesson-buttons">
            // One button, whatever it says, so that the focus stays on it when it is pressed with a key.
            <button type="button" class="primary lesson-main" onclick={turn(main)}>{ words }</button>
            <button type="button" class="quiet" disabled={course.at() == 0} onclick={turn(Turn::Back)}>{ say!("Back") }</button>
            if is_stuck && can_show {
                <button type="button" class="quiet" onclick={turn(Turn::ShowMe)}>{ say!("Show me") }</button>
            }
            if is_stuck {
                <button type="button" class="quiet" onclick={turn(Turn::Skip)}>{ say!("Skip") }</button>
            }
        </div>
    }
}

/// Where lessons are opened: those that come with the playground.
pub fn lesson_list(dispatch: &Callback<Action>) -> Html {
    let open = |name: &'static str| {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::Lesson(Turn::Open(Some(name.to_owned())))))
    };
    html! {
        <nav class="lessons" aria-label={say!("Lessons")}>
            <span class="topic" aria-hidden="true">{ say!("Lessons") }</span>
            { for SHIPPED.iter().map(|&(name, title)| html! {
                <button key={name} type="button" class="quiet" onclick={open(name)}>{ tongue::translated(title) }</button>
            }) }
        </nav>
    }
}
