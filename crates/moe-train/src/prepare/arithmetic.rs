//! Arithmetic: sheets of sums with their answers, generated from a seed. Held out: the first sheets, other seeds.

use std::collections::HashSet;
use std::fmt::Write;

use super::document::Document;

const MAX_BYTES: usize = 3_000_000;
/// A line of this many characters is written once in the whole corpus, so what is held out is not in the training text.
/// Shorter ones, such as `3 + 4 = 7`, are too few for that: they are to be learnt by heart.
const UNIQUE_FROM: usize = 14;

/// One document and one file a sheet; sheet `n` is drawn with seed `n`.
pub fn documents() -> Vec<Document> {
    let mut written = HashSet::new();
    let mut documents = Vec::new();
    let mut bytes = 0;
    for seed in 0.. {
        if bytes >= MAX_BYTES {
            break;
        }
        let document = Document::new(format!("sheet {seed}"), &sheet(seed, &mut written));
        bytes += document.text.len();
        documents.push(document);
    }
    documents
}

/// Ten to thirty lines: of one kind, or of all kinds mixed.
fn sheet(seed: u64, written: &mut HashSet<String>) -> String {
    let mut draw = Draw(seed);
    let num_lines = draw.between(10, 30);
    let only = (draw.below(2) == 0).then(|| draw.below(NUM_KINDS));
    let mut sheet = String::new();
    let mut num_written = 0;
    while num_written < num_lines {
        let kind = only.unwrap_or_else(|| draw.below(NUM_KINDS));
        let line = line(kind, &mut draw);
        if line.len() >= UNIQUE_FROM && !written.insert(line.clone()) {
            continue;
        }
        sheet.push_str(&line);
        sheet.push('\n');
        num_written += 1;
    }
    sheet
}

const NUM_KINDS: i64 = 8;

fn line(kind: i64, draw: &mut Draw) -> String {
    match kind {
        0 => {
            let (a, b) = (draw.number(), draw.number());
            format!("{a} + {b} = {}", a + b)
        }
        1 => {
            let (a, b) = (draw.number(), draw.number());
            format!("{a} - {b} = {}", a - b)
        }
        2 => {
            let (a, b) = (draw.between(2, 99), draw.between(2, 12));
            format!("{a} * {b} = {}", a * b)
        }
        3 => {
            let (quotient, divisor) = (draw.between(2, 99), draw.between(2, 12));
            format!("{} / {divisor} = {quotient}", quotient * divisor)
        }
        4 => {
            let (a, divisor) = (draw.between(10, 999), draw.between(2, 12));
            format!("{a} / {divisor} = {} rest {}", a / divisor, a % divisor)
        }
        5 | 6 => reduction(Expression::draw(2, draw)),
        _ => list_line(draw),
    }
}

/// `sort 7 3 9 = 3 7 9`, or the sum, the largest, the smallest or the reverse of a list.
fn list_line(draw: &mut Draw) -> String {
    let len = draw.between(3, 8) as usize;
    let limit = [9, 20, 99][draw.below(3) as usize];
    let list: Vec<i64> = (0..len).map(|_| draw.between(0, limit)).collect();
    let mut sorted = list.clone();
    sorted.sort_unstable();
    let spaced = |list: &[i64]| list.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
    let (verb, answer) = match draw.below(8) {
        0 => ("sum", list.iter().sum::<i64>().to_string()),
        1 => ("max", sorted[len - 1].to_string()),
        2 => ("min", sorted[0].to_string()),
        3 => ("reverse", spaced(&list.iter().rev().copied().collect::<Vec<_>>())),
        _ => ("sort", spaced(&sorted)),
    };
    format!("{verb} {} = {answer}", spaced(&list))
}

#[derive(Clone, Debug)]
enum Expression {
    Number(i64),
    Operation(Box<Expression>, char, Box<Expression>),
}

impl Expression {
    /// At most `depth` brackets deep. Products stay below a few thousand, because factors are small numbers.
    fn draw(depth: u32, draw: &mut Draw) -> Expression {
        let operator = ['+', '-', '*', '+'][draw.below(4) as usize];
        let limit = if operator == '*' { 12 } else { 50 };
        let [left, right] = [(); 2].map(|()| {
            let nested = depth > 0 && draw.below(2) == 0;
            if nested { Expression::draw(depth - 1, draw) } else { Expression::Number(draw.between(1, limit)) }
        });
        Expression::Operation(Box::new(left), operator, Box::new(right))
    }

    /// One step of working it out: every operation on two numbers becomes its result.
    fn reduced(&self) -> Expression {
        match self {
            Expression::Number(number) => Expression::Number(*number),
            Expression::Operation(left, operator, right) => match (&**left, operator, &**right) {
                (Expression::Number(a), '+', Expression::Number(b)) => Expression::Number(a + b),
                (Expression::Number(a), '-', Expression::Number(b)) => Expression::Number(a - b),
                (Expression::Number(a), _, Expression::Number(b)) => Expression::Number(a * b),
                _ => Expression::Operation(Box::new(left.reduced()), *operator, Box::new(right.reduced())),
            },
        }
    }

    /// Brackets around every inner operation and every negative operand.
    fn write(&self, outermost: bool, text: &mut String) {
        let (open, close) = match self {
            Expression::Number(number) if *number >= 0 => ("", ""),
            _ if outermost => ("", ""),
            _ => ("(", ")"),
        };
        text.push_str(open);
        match self {
            Expression::Number(number) => write!(text, "{number}").expect("writing to a string"),
            Expression::Operation(left, operator, right) => {
                left.write(false, text);
                write!(text, " {operator} ").expect("writing to a string");
                right.write(false, text);
            }
        }
        text.push_str(close);
    }
}

/// `(3 + 4) * 6 = 7 * 6 = 42`.
fn reduction(mut expression: Expression) -> String {
    let mut line = String::new();
    loop {
        expression.write(true, &mut line);
        if matches!(expression, Expression::Number(_)) {
            return line;
        }
        line.push_str(" = ");
        expression = expression.reduced();
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014): a sequence of numbers from a seed.
pub(super) struct Draw(pub u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// `0..limit`.
    pub fn below(&mut self, limit: i64) -> i64 {
        (self.next() % limit as u64) as i64
    }

    /// `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    /// One digit, two or three, equally often.
    fn number(&mut self) -> i64 {
        let limit = [9, 99, 999][self.below(3) as usize];
        self.between(0, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An evaluator of its own: `text` is numbers, brackets and `+ - * /` with spaces around, fully bracketed.
    fn value(text: &str) -> i64 {
        let mut depth = 0;
        for (i, c) in text.char_indices() {
            depth += i32::from(c == '(') - i32::from(c == ')');
            if depth == 0 && i > 0 && text[i..].starts_with([' ']) {
                let (left, right) = (value(&text[..i]), value(&text[i + 3..]));
                return match &text[i + 1..i + 2] {
                    "+" => left + right,
                    "-" => left - right,
                    "*" => left * right,
                    "/" => left / right,
                    other => panic!("{other} in {text}"),
                };
            }
        }
        match text.strip_prefix('(') {
            Some(inner) => value(inner.strip_suffix(')').expect("a closing bracket")),
            None => text.parse().expect("a number"),
        }
    }

    #[test]
    fn every_answer_of_a_thousand_sheets_is_right() {
        let mut written = HashSet::new();
        for line in (0..1_000).flat_map(|seed| sheet(seed, &mut written).lines().map(str::to_owned).collect::<Vec<_>>())
        {
            let parts: Vec<_> = line.split(" = ").collect();
            if let Some((quotient, rest)) = parts[1].split_once(" rest ") {
                let (dividend, divisor) = parts[0].split_once(" / ").expect("a division");
                let [dividend, divisor, quotient, rest] = [dividend, divisor, quotient, rest].map(value);
                assert!(quotient * divisor + rest == dividend && (0..divisor).contains(&rest), "{line}");
            } else if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                let (verb, list) = parts[0].split_once(' ').expect("a verb and a list");
                let mut list: Vec<_> = list.split(' ').map(value).collect();
                match verb {
                    "reverse" => list.reverse(),
                    "sum" => list = vec![list.iter().sum()],
                    _ => list.sort_unstable(),
                }
                let answer: Vec<_> = parts[1].split(' ').map(value).collect();
                match verb {
                    "max" => assert_eq!(Some(&answer[0]), list.last(), "{line}"),
                    "min" => assert_eq!(Some(&answer[0]), list.first(), "{line}"),
                    _ => assert_eq!(answer, list, "{line}"),
                }
            } else {
                assert!(parts.len() > 1 && parts.iter().all(|part| value(part) == value(parts[0])), "{line}");
            }
        }
    }

    #[test]
    fn steps_are_shown() {
        let number = |n| Box::new(Expression::Number(n));
        let minus = Expression::Operation(number(3), '-', number(7));
        let product = Expression::Operation(Box::new(minus), '*', number(6));
        assert_eq!(reduction(product), "(3 - 7) * 6 = (-4) * 6 = -24");
    }

    #[test]
    fn a_seed_gives_the_same_sheet_again_and_long_lines_come_once() {
        assert_eq!(sheet(7, &mut HashSet::new()), sheet(7, &mut HashSet::new()));
        let mut written = HashSet::new();
        let long = (0..200).map(|seed| sheet(seed, &mut written)).collect::<String>();
        let long: Vec<_> = long.lines().filter(|line| line.len() >= UNIQUE_FROM).collect();
        assert_eq!(long.iter().collect::<HashSet<_>>().len(), long.len());
    }
}
