//! What a reader changes inside the model, as a list and as a text: `mute:1,3 force:0,5,7 temperature:*,2`.

use std::ops::Deref;

use moe_router::decimal;
use moe_trace::{ExpertIdx, Intervention, LayerIdx};

use crate::settings::place;
use crate::words::tongue;

/// More than a reader can keep in mind.
pub const MOST: usize = 64;

/// The text that stands for no change at all; an empty one asks for nothing.
const NONE: &str = "none";

/// A kind of change as it is written: its word, what its numbers are, and an example.
struct Form {
    word: &'static str,
    needs: &'static str,
    example: &'static str,
}

/// Layers come first, `*` where every layer is meant; all but the last number of the last three count from 0.
const FORMS: [Form; 6] = [
    Form { word: "mute", needs: marked!("a layer and an expert"), example: "mute:1,3" },
    Form { word: "force", needs: marked!("a layer, the position of a token and an expert"), example: "force:0,5,7" },
    Form { word: "swap", needs: marked!("a layer and two experts of it"), example: "swap:2,0,1" },
    Form { word: "bias", needs: marked!("a layer, an expert and a number"), example: "bias:0,3,-0.5" },
    Form { word: "temperature", needs: marked!("a layer or * and a number above 0"), example: "temperature:*,2" },
    Form { word: "noise", needs: marked!("a layer or * and a number that is not negative"), example: "noise:*,0.25" },
];

/// Changes in the order in which they act, no two of the same thing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Interventions(Vec<Intervention>);

impl Interventions {
    pub fn of(changes: &[Intervention]) -> Interventions {
        Interventions(changes.to_vec())
    }

    /// Reads what [`Interventions::text`] writes, or says what is wrong with it and how it would be right.
    pub fn parse(text: &str) -> Result<Interventions, String> {
        if text.trim() == NONE {
            return Ok(Interventions::default());
        }
        let mut changes = Interventions::default();
        for written in text.split_whitespace() {
            let change = read(written).ok_or_else(|| problem(written))?;
            if let Some(twice) = changes.iter().find(|known| is_of_the_same(known, &change)) {
                let before = write(twice);
                return Err(say!(
                    "“{before}” and “{written}” change the same thing; leave one of them out",
                    before,
                    written
                ));
            }
            changes.0.push(change);
        }
        match changes.len() {
            0..=MOST => Ok(changes),
            num => Err(say!("These are {num} changes; leave out some, {most} are the most", num, most = MOST)),
        }
    }

    /// What may be written, for the message where something else is.
    pub fn allowed() -> String {
        let examples = FORMS.map(|form| form.example).join(" ");
        say!("{none}, or changes with blanks between them, such as {examples}", none = NONE, examples)
    }

    pub fn text(&self) -> String {
        if self.is_empty() { NONE.to_owned() } else { self.iter().map(write).collect::<Vec<_>>().join(" ") }
    }

    /// With the change in the place of what was changed about the same thing before.
    pub fn with(&self, change: Intervention) -> Interventions {
        let mut changes = self.0.clone();
        match changes.iter().position(|known| is_of_the_same(known, &change)) {
            Some(at) => changes[at] = change,
            None if changes.len() < MOST => changes.push(change),
            None => {}
        }
        Interventions(changes)
    }

    /// Without what is changed about the same thing, however.
    pub fn without(&self, change: &Intervention) -> Interventions {
        Interventions(self.iter().filter(|known| !is_of_the_same(known, change)).copied().collect())
    }

    /// Makes the change, or takes it back where it is made.
    pub fn toggled(&self, change: Intervention) -> Interventions {
        if self.contains(&change) { self.without(&change) } else { self.with(change) }
    }
}

impl Deref for Interventions {
    type Target = [Intervention];

    fn deref(&self) -> &[Intervention] {
        &self.0
    }
}

/// Can only one of the two be in force: the same expert muted, the same token sent somewhere, the same gate bent?
pub fn is_of_the_same(one: &Intervention, other: &Intervention) -> bool {
    use Intervention::{Bias, Force, GateNoise, Mute, RouterTemperature, Swap};
    match (one, other) {
        (Mute { layer: a, expert: x }, Mute { layer: b, expert: y })
        | (Bias { layer: a, expert: x, .. }, Bias { layer: b, expert: y, .. }) => (a, x) == (b, y),
        (Force { layer: a, position: x, .. }, Force { layer: b, position: y, .. }) => (a, x) == (b, y),
        (Swap { layer: a, experts: [x, y] }, Swap { layer: b, experts: [v, w] }) => {
            a == b && ((x, y) == (v, w) || (x, y) == (w, v))
        }
        (RouterTemperature { layer: a, .. }, RouterTemperature { layer: b, .. })
        | (GateNoise { layer: a, .. }, GateNoise { layer: b, .. }) => a == b,
        _ => false,
    }
}

/// Is the expert muted?
pub fn is_muted(changes: &[Intervention], of: LayerIdx, wanted: ExpertIdx) -> bool {
    changes.contains(&Intervention::Mute { layer: of, expert: wanted })
}

/// The expert that a token is sent to.
pub fn forced(changes: &[Intervention], of: LayerIdx, token: u32) -> Option<ExpertIdx> {
    changes.iter().find_map(|change| match *change {
        Intervention::Force { layer, position, expert } if layer == of && position == token => Some(expert),
        _ => None,
    })
}

/// Who computes what is sent to an expert: another one, where the two are swapped.
pub fn computed_by(changes: &[Intervention], of: LayerIdx, asked: ExpertIdx) -> ExpertIdx {
    changes.iter().fold(asked, |expert, change| match *change {
        Intervention::Swap { layer, experts: [one, other] } if layer == of => match expert {
            expert if expert == one => other,
            expert if expert == other => one,
            expert => expert,
        },
        _ => expert,
    })
}

/// Those that change something for this token in this layer.
pub fn about(changes: &[Intervention], of: LayerIdx, token: u32) -> Vec<Intervention> {
    let is_about = |change: &&Intervention| match **change {
        Intervention::Mute { layer, .. } | Intervention::Bias { layer, .. } | Intervention::Swap { layer, .. } => {
            layer == of
        }
        Intervention::Force { layer, position, .. } => layer == of && position == token,
        Intervention::RouterTemperature { layer, .. } | Intervention::GateNoise { layer, .. } => {
            layer.is_none_or(|layer| layer == of)
        }
    };
    changes.iter().filter(is_about).copied().collect()
}

fn write(change: &Intervention) -> String {
    let layers = |layer: Option<LayerIdx>| layer.map_or("*".to_owned(), |layer| layer.to_string());
    match *change {
        Intervention::Mute { layer, expert } => format!("mute:{layer},{expert}"),
        Intervention::Force { layer, position, expert } => format!("force:{layer},{position},{expert}"),
        Intervention::Swap { layer, experts: [one, other] } => format!("swap:{layer},{one},{other}"),
        Intervention::Bias { layer, expert, bias } => format!("bias:{layer},{expert},{bias}"),
        Intervention::RouterTemperature { layer, temperature } => {
            format!("temperature:{},{temperature}", layers(layer))
        }
        Intervention::GateNoise { layer, deviation } => format!("noise:{},{deviation}", layers(layer)),
    }
}

fn read(written: &str) -> Option<Intervention> {
    let whole = |text: &str| text.parse().ok().filter(|number| *number <= place::MOST);
    let layer = |text: &str| whole(text).map(LayerIdx);
    let expert = |text: &str| whole(text).map(ExpertIdx);
    let layers = |text: &str| if text == "*" { Some(None) } else { layer(text).map(Some) };
    let (word, numbers) = written.split_once(':')?;
    let numbers: Vec<&str> = numbers.split(',').collect();
    Some(match (word, numbers.as_slice()) {
        ("mute", [of, who]) => Intervention::Mute { layer: layer(of)?, expert: expert(who)? },
        ("force", [of, at, to]) => Intervention::Force { layer: layer(of)?, position: whole(at)?, expert: expert(to)? },
        ("swap", [of, one, other]) if one != other => {
            Intervention::Swap { layer: layer(of)?, experts: [expert(one)?, expert(other)?] }
        }
        ("bias", [of, who, by]) => {
            let size = number(by.strip_prefix('-').unwrap_or(by))?;
            let bias = if by.starts_with('-') { -size } else { size };
            Intervention::Bias { layer: layer(of)?, expert: expert(who)?, bias }
        }
        ("temperature", [of, by]) => {
            let temperature = number(by).filter(|number| *number > 0.0)?;
            Intervention::RouterTemperature { layer: layers(of)?, temperature }
        }
        ("noise", [of, by]) => Intervention::GateNoise { layer: layers(of)?, deviation: number(by)? },
        _ => return None,
    })
}

fn number(text: &str) -> Option<f32> {
    decimal::read(text).map(|number| number as f32).filter(|number| number.is_finite())
}

/// Why a word says no change, and what to write.
fn problem(written: &str) -> String {
    let word = written.split(':').next().unwrap_or_default();
    match FORMS.iter().find(|form| form.word == word) {
        Some(Form { needs, example, .. }) => {
            let needs = tongue::translated(needs);
            say!("“{written}” does not say {needs}; write it like {example}", written, needs, example)
        }
        None => {
            let words = FORMS.map(|form| form.word).join(", ");
            let example = FORMS[0].example;
            say!("“{written}” is not a change; begin with one of {words}, as in {example}", written, words, example)
        }
    }
}

#[cfg(test)]
mod tests {
    use moe_router::draws::SplitMix64;

    use super::*;

    fn drawn(draws: &mut SplitMix64) -> Intervention {
        let mut pick = |most: u32| (draws.u64() % u64::from(most)) as u32;
        let (layer, one, other) = (LayerIdx(pick(4)), ExpertIdx(pick(4)), ExpertIdx(4 + pick(4)));
        let layers = (pick(2) == 0).then_some(layer);
        let numbers = [0.1, 0.25, 1.0 / 3.0, 2.0, 17.75, 1e-30, f32::MIN_POSITIVE, 3.3e38, 123_456.79];
        let number = numbers[pick(numbers.len() as u32) as usize];
        match pick(6) {
            0 => Intervention::Mute { layer, expert: one },
            1 => Intervention::Force { layer, position: pick(300), expert: other },
            2 => Intervention::Swap { layer, experts: [other, one] },
            3 => Intervention::Bias { layer, expert: one, bias: if pick(2) == 0 { number } else { -number } },
            4 => Intervention::RouterTemperature { layer: layers, temperature: number },
            _ => Intervention::GateNoise { layer: layers, deviation: if pick(4) == 0 { 0.0 } else { number } },
        }
    }

    #[test]
    fn whatever_is_changed_can_be_written_and_read_again() {
        let mut draws = SplitMix64::new(5);
        for _ in 0..2000 {
            let mut changes = Interventions::default();
            for _ in 0..draws.u64() % 9 {
                changes = changes.with(drawn(&mut draws));
            }
            assert_eq!(Interventions::parse(&changes.text()), Ok(changes.clone()), "{}", changes.text());
        }
    }

    #[test]
    fn every_form_is_read_as_its_example_says() {
        let all = FORMS.map(|form| form.example).join("  ");
        let read = Interventions::parse(&all).expect("all examples");
        assert_eq!(read.len(), FORMS.len());
        assert_eq!(read.text(), FORMS.map(|form| form.example).join(" "));
        assert!(Interventions::allowed().contains(&read.text()));
        for (change, form) in read.iter().zip(&FORMS) {
            assert!(write(change).starts_with(form.word));
        }
        assert_eq!(read[3], Intervention::Bias { layer: LayerIdx(0), expert: ExpertIdx(3), bias: -0.5 });
        assert_eq!(Interventions::parse(" none "), Ok(Interventions::default()));
        assert_eq!(Interventions::default().text(), "none");
    }

    #[test]
    fn what_cannot_be_read_says_how_it_would_be_right() {
        let check = |text: &str, why: &str| assert_eq!(Interventions::parse(text), Err(why.to_owned()));
        for text in ["mute:1", "mute:1,x", "mute:*,1", "mute:1,3,5", "mute:-1,3", "mute:1,99999", "mute"] {
            check(text, &format!("“{text}” does not say a layer and an expert; write it like mute:1,3"));
        }
        let number = "a layer or * and a number above 0; write it like temperature:*,2";
        for text in ["temperature:*,0", "temperature:*,-1", "temperature:2", "temperature:0,NaN"] {
            check(text, &format!("“{text}” does not say {number}"));
        }
        check("swap:2,1,1", "“swap:2,1,1” does not say a layer and two experts of it; write it like swap:2,0,1");
        let words = "mute, force, swap, bias, temperature, noise";
        check("kill:1,2", &format!("“kill:1,2” is not a change; begin with one of {words}, as in mute:1,3"));
        let twice = "“swap:2,0,1” and “swap:2,1,0” change the same thing; leave one of them out";
        check("swap:2,0,1 swap:2,1,0", twice);
        let many: Vec<String> = (0..65).map(|expert| format!("mute:0,{expert}")).collect();
        check(&many.join(" "), "These are 65 changes; leave out some, 64 are the most");
    }

    #[test]
    fn one_thing_is_changed_once() {
        let (layer, expert) = (LayerIdx(1), ExpertIdx(3));
        let mute = Intervention::Mute { layer, expert };
        let force = |expert: u32| Intervention::Force { layer, position: 5, expert: ExpertIdx(expert) };
        let none = Interventions::default();
        assert_eq!(none.toggled(mute).toggled(mute), none);
        let sent = none.with(mute).with(force(2)).with(force(4));
        assert_eq!(sent.text(), "mute:1,3 force:1,5,4", "a token is sent to one expert");
        assert_eq!((forced(&sent, layer, 5), forced(&sent, LayerIdx(0), 5)), (Some(ExpertIdx(4)), None));
        assert_eq!(sent.without(&force(0)).text(), "mute:1,3");
        assert!(is_muted(&sent, layer, expert) && !is_muted(&sent, layer, ExpertIdx(4)));
        let swapped = Interventions::parse("swap:1,0,1 swap:1,1,2").expect("two swaps");
        let computing = [0, 1, 2, 3].map(|asked| computed_by(&swapped, layer, ExpertIdx(asked)).0);
        assert_eq!(computing, [2, 0, 1, 3], "one after the other, as the engine does it");
        assert_eq!(about(&sent, layer, 0), [mute], "another token is sent elsewhere");
        assert_eq!(about(&sent, layer, 5).len(), 2);
        assert_eq!(about(&sent, LayerIdx(0), 5), []);
    }
}
