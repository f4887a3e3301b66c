//! Losses over steps: where a step and a loss lie in the drawing, and the frame around them.

use std::fmt::Write;

use yew::prelude::*;

/// Of the drawing; the picture is as wide as its place.
const WIDTH: f32 = 640.0;
const HEIGHT: f32 = 150.0;

pub struct Axes {
    num_steps: usize,
    low: f32,
    top: f32,
}

impl Axes {
    /// With room for these losses. `level`: a loss that is always in sight.
    pub fn around(num_steps: usize, level: f32, losses: &[f32]) -> Axes {
        let top = losses.iter().copied().fold(level, f32::max).max(0.1) * 1.04;
        let low = losses.iter().copied().fold(level, f32::min) * 0.96;
        Axes { num_steps, low, top }
    }

    fn x(&self, step: f32) -> f32 {
        step / self.num_steps.max(1) as f32 * WIDTH
    }

    fn y(&self, loss: f32) -> f32 {
        HEIGHT - (loss - self.low) / (self.top - self.low).max(1e-6) * HEIGHT
    }

    /// A line through steps and their losses.
    pub fn line(&self, class: &'static str, points: &[(f32, f32)]) -> Html {
        let mut path = String::new();
        for (at, &(step, loss)) in points.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(path, "{}{:.1} {:.1}", if at == 0 { 'M' } else { 'L' }, self.x(step), self.y(loss));
        }
        html! { <path {class} d={path} /> }
    }

    pub fn dots(&self, class: &'static str, points: &[(f32, f32)]) -> Html {
        let dot = |&(step, loss): &(f32, f32)| {
            html! { <circle cx={format!("{:.1}", self.x(step))} cy={format!("{:.1}", self.y(loss))} r="2.5" /> }
        };
        html! { <g {class}>{ for points.iter().map(dot) }</g> }
    }

    /// The picture. `level`: the loss of the dashed line; `words`: what the picture says.
    pub fn frame(&self, caption: Html, level: f32, words: String, inside: Html) -> Html {
        let level = format!("{:.1}", self.y(level));
        html! {
            <figure class="lab-curves">
                <figcaption>{ caption }</figcaption>
                <div class="lab-axes">
                    <span class="lab-top">{ format!("{:.1}", self.top) }</span>
                    <span class="lab-low">{ format!("{:.1}", self.low) }</span>
                    <svg viewBox={format!("0 0 {WIDTH} {HEIGHT}")} preserveAspectRatio="none" role="img" aria-label={words}>
                        <line class="floor" x1="0" x2={WIDTH.to_string()} y1={level.clone()} y2={level} />
                        { inside }
                    </svg>
                    <span class="lab-steps">{ many!(self.num_steps, "{n} step", "{n} steps") }</span>
                </div>
            </figure>
        }
    }
}
