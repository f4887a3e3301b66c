//! What a task expects of the picture: `dropped == 2`, `demand(3) > 10`, `expert == busiest`.
//!
//! A condition compares a quantity of what stands on the screen with a number, a word, or another quantity. What the
//! quantities are at a moment, `run::observed` says.

mod reading;

use crate::settings::named::named;
use crate::words::numbers;

named! {
    /// What can be asked of the picture: of the step on the screen, the selected layer and the selected token.
    Measure {
        Step "step"
        Layer "layer"
        Token "token"
        Expert "expert"
        Tokens "tokens"
        Lost "lost"
        Dropped "dropped"
        AllLost "all-lost"
        AllDropped "all-dropped"
        Demand "demand"
        Load "load"
        Busiest "busiest"
        Idlest "idlest"
        MaxDemand "max-demand"
        MinDemand "min-demand"
        Capacity "capacity"
        CapacityFactor "capacity-factor"
        Chosen "chosen"
        Served "served"
        TurnedAway "turned-away"
        Gate "gate"
        MeanLoss "mean-loss"
        Policy "policy"
        Group "group"
        Model "model"
    }
}

/// What stands in the brackets behind the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    None,
    /// An expert, from 0.
    Expert,
    /// A choice of the token, from 1.
    Choice,
}

impl Measure {
    pub fn argument(self) -> Argument {
        match self {
            Measure::Demand | Measure::Load | Measure::Gate => Argument::Expert,
            Measure::Chosen => Argument::Choice,
            _ => Argument::None,
        }
    }

    /// Is it a word, such as the name of a policy?
    pub fn is_word(self) -> bool {
        matches!(self, Measure::Policy | Measure::Group | Measure::Model)
    }

    /// What it is, as a reader is told it.
    pub fn says(self) -> &'static str {
        match self {
            Measure::Step => "the step",
            Measure::Layer => "the layer",
            Measure::Token => "the token",
            Measure::Expert => "the selected expert",
            Measure::Tokens => "the tokens of the text",
            Measure::Lost => "the requests turned away in this layer",
            Measure::Dropped => "the tokens dropped in this layer",
            Measure::AllLost => "the requests turned away in all layers",
            Measure::AllDropped => "the tokens dropped in all layers, each time counted",
            Measure::Demand => "the requests to expert",
            Measure::Load => "the requests served by expert",
            Measure::Busiest => "the expert with the most requests in this layer",
            Measure::Idlest => "the expert with the fewest requests in this layer",
            Measure::MaxDemand => "the requests to the busiest expert",
            Measure::MinDemand => "the requests to the idlest expert",
            Measure::Capacity => "the slots of each expert",
            Measure::CapacityFactor => "the capacity factor",
            Measure::Chosen => "the expert that the token asks as choice",
            Measure::Served => "the requests of the token that were served",
            Measure::TurnedAway => "the requests of the token that were turned away",
            Measure::Gate => "what the gate gives expert",
            Measure::MeanLoss => "the mean loss",
            Measure::Policy => "the policy",
            Measure::Group => "the routing group",
            Measure::Model => "the model",
        }
    }
}

/// A measure with what stands in its brackets; 0 where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    pub measure: Measure,
    pub index: usize,
}

impl Quantity {
    pub fn says(self) -> String {
        match self.measure.argument() {
            Argument::None => self.measure.says().to_owned(),
            Argument::Expert | Argument::Choice => format!("{} {}", self.measure.says(), self.index),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Is,
    IsNot,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// As they are written; a longer one before one that it begins with.
pub const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Is),
    ("!=", Comparison::IsNot),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

#[derive(Debug, Clone, PartialEq)]
pub enum Other {
    Number(f64),
    Word(String),
    Quantity(Quantity),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub quantity: Quantity,
    pub comparison: Comparison,
    pub other: Other,
}

/// What a quantity is at a moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Number(f64),
    Word(String),
}

/// Numbers that a slider or an f32 has made differ by less.
const ALIKE: f64 = 1e-4;

impl Comparison {
    fn holds(self, one: &Seen, other: &Seen) -> bool {
        let (is_same, is_below) = match (one, other) {
            (Seen::Number(one), Seen::Number(other)) => ((one - other).abs() < ALIKE, one < other),
            (Seen::Word(one), Seen::Word(other)) => (one == other, false),
            _ => return false,
        };
        match self {
            Comparison::Is => is_same,
            Comparison::IsNot => !is_same,
            Comparison::Below => is_below && !is_same,
            Comparison::AtMost => is_below || is_same,
            Comparison::Above => !is_below && !is_same,
            Comparison::AtLeast => !is_below || is_same,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Comparison::Is => "",
            Comparison::IsNot => "anything but ",
            Comparison::Below => "less than ",
            Comparison::AtMost => "at most ",
            Comparison::Above => "more than ",
            Comparison::AtLeast => "at least ",
        }
    }
}

impl Condition {
    /// `see` says what a quantity is now; `None` where there is no such thing to see, which meets no condition.
    pub fn holds(&self, see: impl Fn(Quantity) -> Option<Seen>) -> bool {
        let other = match &self.other {
            Other::Number(number) => Some(Seen::Number(*number)),
            Other::Word(word) => Some(Seen::Word(word.clone())),
            Other::Quantity(quantity) => see(*quantity),
        };
        see(self.quantity).zip(other).is_some_and(|(one, other)| self.comparison.holds(&one, &other))
    }

    /// What is the case and what was wanted, for a reader whose answer does not meet it.
    pub fn missed(&self, see: impl Fn(Quantity) -> Option<Seen>) -> String {
        let name = self.quantity.says();
        let wanted = match &self.other {
            Other::Number(number) => numbers::digits(*number),
            Other::Word(word) => word.clone(),
            Other::Quantity(quantity) => quantity.says(),
        };
        let wanted = format!("{}{wanted}", self.comparison.words());
        match see(self.quantity) {
            None => format!("Not yet: {name} cannot be seen here; it should be {wanted}."),
            // It would give the answer away.
            Some(_) if matches!(self.other, Other::Quantity(_)) => format!("Not yet: {name} should be {wanted}."),
            Some(Seen::Number(number)) => {
                format!("Not yet: {name}: {}; it should be {wanted}.", numbers::digits(number))
            }
            Some(Seen::Word(word)) => format!("Not yet: {name}: {word}; it should be {wanted}."),
        }
    }

    /// All quantities that it looks at.
    pub fn quantities(&self) -> impl Iterator<Item = Quantity> {
        let other = match self.other {
            Other::Quantity(quantity) => Some(quantity),
            Other::Number(_) | Other::Word(_) => None,
        };
        [self.quantity].into_iter().chain(other)
    }
}
