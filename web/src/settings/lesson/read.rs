//! Reads a lesson and finds everything that is wrong with it, each mistake at its place.

use moe_router::gate::sorted;

use crate::settings::attributes::{ATTRIBUTES, Config};
use crate::settings::lesson::condition::Condition;
use crate::settings::lesson::format::{KEYS, PLACE, SETTABLE, VERSION, limits};
use crate::settings::lesson::json::{self, Key, Node, Text, Value};
use crate::settings::lesson::mistake::Mistake;
use crate::settings::lesson::{Ask, Goto, Lesson, Predicted, Step, Task, Texts, configured};
use crate::settings::models;
use crate::settings::offered::{ControlName, Offered};

pub(super) fn lesson(text: &str) -> Result<Lesson, Vec<Mistake>> {
    let bytes = text.len();
    if bytes > limits::FILE_BYTES {
        let what = format!("the file has {bytes} bytes");
        return Err(vec![Mistake::new(0, what, format!("a lesson has at most {}", limits::FILE_BYTES))]);
    }
    let node = json::read(text).map_err(|mistake| vec![mistake])?;
    let mut reader = Reader { mistakes: Vec::new() };
    let lesson = reader.lesson(&node);
    match lesson {
        Some(lesson) if reader.mistakes.is_empty() => Ok(lesson),
        _ => {
            let mistakes = reader.mistakes;
            let order = sorted(mistakes.len(), &|a, b| mistakes[a].at.cmp(&mistakes[b].at));
            Err(order.into_iter().map(|at| mistakes[at].clone()).collect())
        }
    }
}

/// Goes on after a mistake, so that an author hears of all of them at once.
struct Reader {
    mistakes: Vec<Mistake>,
}

type Entries<'a> = &'a [(Key, Node)];

fn entry<'a>(entries: Entries<'a>, name: &str) -> Option<&'a Node> {
    entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
}

impl Reader {
    fn wrong(&mut self, at: usize, what: impl Into<String>, right: impl Into<String>) {
        self.mistakes.push(Mistake::new(at, what, right));
    }

    fn object<'a>(&mut self, node: &'a Node, of: &str) -> Option<Entries<'a>> {
        match &node.value {
            Value::Object(entries) => Some(entries),
            other => {
                self.wrong(node.at, format!("{of} is {}", other.kind()), "write an object in { }");
                None
            }
        }
    }

    fn text<'a>(&mut self, node: &'a Node, of: &str) -> Option<&'a Text> {
        match &node.value {
            Value::Text(text) => Some(text),
            other => {
                self.wrong(node.at, format!("{of} is {}", other.kind()), "write a text in double quotes");
                None
            }
        }
    }

    fn sentence(&mut self, node: &Node, of: &str, most: usize) -> Option<String> {
        let text = self.text(node, of)?;
        let num_chars = text.chars.chars().count();
        if text.chars.trim().is_empty() {
            self.wrong(node.at, format!("{of} is empty"), "write a sentence");
        } else if num_chars > most {
            self.wrong(node.at, format!("{of} has {num_chars} characters"), format!("say it in {most}"));
        }
        Some(text.chars.clone())
    }

    /// A value, or a list of some.
    fn one_or_more<'a>(&mut self, node: &'a Node, of: &str, most: usize) -> Vec<&'a Node> {
        let Value::List(nodes) = &node.value else { return vec![node] };
        if nodes.is_empty() || nodes.len() > most {
            self.wrong(node.at, format!("{of} is a list of {}", nodes.len()), format!("write 1 to {most}"));
        }
        nodes.iter().take(most).collect()
    }

    fn only(&mut self, entries: Entries, known: &[&str], of: &str) {
        for (key, _) in entries {
            if !known.contains(&key.name.as_str()) {
                self.wrong(key.at, format!("{of} has no “{}”", key.name), format!("it may have {}", known.join(", ")));
            }
        }
    }

    fn lesson(&mut self, node: &Node) -> Option<Lesson> {
        let entries = self.object(node, "a lesson")?;
        self.only(entries, &["$schema", "lesson", "title", "steps"], "a lesson");
        let version = entry(entries, "lesson");
        if version.is_none_or(|version| version.value != Value::Number(VERSION.to_string())) {
            let at = version.map_or(node.at, |version| version.at);
            self.wrong(at, "the number of the format is not known", format!("write \"lesson\": {VERSION}"));
        }
        let title = entry(entries, "title").map(|title| self.sentence(title, "the title", limits::TITLE_CHARS));
        if title.is_none() {
            self.wrong(node.at, "the lesson has no title", "write \"title\": \"…\"");
        }
        let steps = match entry(entries, "steps").map(|steps| (steps.at, &steps.value)) {
            Some((_, Value::List(steps))) if (1..=limits::STEPS).contains(&steps.len()) => {
                steps.iter().filter_map(|step| self.step(step)).collect()
            }
            Some((at, Value::List(steps))) => {
                self.wrong(at, format!("there are {} steps", steps.len()), format!("write 1 to {}", limits::STEPS));
                return None;
            }
            other => {
                let at = other.map_or(node.at, |(at, _)| at);
                self.wrong(at, "the lesson has no list of steps", "write \"steps\": [ … ]");
                return None;
            }
        };
        Some(Lesson { title: title??, steps })
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        let entries = self.object(node, "a step")?;
        self.only(entries, &KEYS.map(|key| key.name), "a step");
        let sentence = |reader: &mut Reader, name: &str| {
            entry(entries, name).and_then(|node| reader.sentence(node, name, limits::SENTENCE_CHARS))
        };
        if entry(entries, "say").is_none() {
            self.wrong(node.at, "the step says nothing", "write \"say\": \"…\"");
        }
        let say = sentence(self, "say").unwrap_or_default();
        let set = entry(entries, "set").map(|set| self.attributes(set, "set", &SETTABLE)).unwrap_or_default();
        let goto = entry(entries, "goto").and_then(|goto| self.goto(goto));
        let locked = entry(entries, "lock").map_or(Offered::NONE, |lock| self.lock(lock));
        let task = self.task(entries);
        let reveal = sentence(self, "reveal");
        if let (Some(reveal), Task::None) = (entry(entries, "reveal"), &task) {
            self.wrong(reveal.at, "there is nothing to reveal", "ask or predict something, or say it in the next step");
        }
        Some(Step { say, set, goto, locked, task, reveal })
    }

    fn task(&mut self, entries: Entries) -> Task {
        let (ask, expect) = (entry(entries, "ask"), entry(entries, "expect"));
        for (name, needs) in [("ask", "expect"), ("expect", "ask"), ("hint", "expect"), ("solution", "expect")] {
            if let (Some(node), None) = (entry(entries, name), entry(entries, needs)) {
                self.wrong(node.at, format!("{name} stands without {needs}"), format!("add \"{needs}\""));
            }
        }
        if let Some(predict) = entry(entries, "predict") {
            if ask.is_some() {
                self.wrong(predict.at, "a step both asks and predicts", "make two steps of it");
            }
            let word = self.text(predict, "predict").map(|text| Predicted::of_word(&text.chars));
            return match word {
                Some(Some(predicted)) => Task::Predict(predicted),
                Some(None) => {
                    self.wrong(predict.at, "this cannot be predicted", format!("write one of {}", Predicted::words()));
                    Task::None
                }
                None => Task::None,
            };
        }
        let (Some(ask), Some(expect)) = (ask, expect) else { return Task::None };
        let ask = self.sentence(ask, "ask", limits::SENTENCE_CHARS).unwrap_or_default();
        let expect = self.one_or_more(expect, "expect", limits::CONDITIONS);
        let expect = expect.into_iter().filter_map(|node| self.condition(node)).collect();
        let hints = match entry(entries, "hint") {
            Some(hint) => {
                let hints = self.one_or_more(hint, "hint", limits::HINTS);
                hints.into_iter().filter_map(|hint| self.sentence(hint, "hint", limits::SENTENCE_CHARS)).collect()
            }
            None => Vec::new(),
        };
        let known = [&SETTABLE[..], &PLACE].concat();
        let solution = entry(entries, "solution").map(|node| self.attributes(node, "solution", &known));
        Task::Ask(Ask { ask, expect, hints, solution: solution.unwrap_or_default() })
    }

    fn condition(&mut self, node: &Node) -> Option<Condition> {
        let text = self.text(node, "a condition")?;
        match Condition::parse(&text.chars) {
            Ok(condition) => Some(condition),
            Err((byte, what, right)) => {
                self.wrong(text.place(byte), what, right);
                None
            }
        }
    }

    /// Names and texts, each as the table of attributes wants it.
    fn attributes(&mut self, node: &Node, of: &str, known: &[&str]) -> Texts {
        let Some(entries) = self.object(node, of) else { return Texts::new() };
        self.only(entries, known, of);
        let mut texts = Texts::new();
        for (key, value) in entries.iter().filter(|(key, _)| known.contains(&key.name.as_str())) {
            let text = match &value.value {
                Value::Text(text) => text.chars.clone(),
                Value::Number(number) => number.clone(),
                other => {
                    let what = format!("{} is {}", key.name, other.kind());
                    self.wrong(value.at, what, "write a text or a number");
                    continue;
                }
            };
            self.attribute(key, value.at, &text);
            texts.push((key.name.clone(), text));
        }
        texts
    }

    fn attribute(&mut self, key: &Key, at: usize, text: &str) {
        let Some(row) = ATTRIBUTES.iter().find(|row| row.name == key.name) else { return };
        let what = format!("{}=\"{text}\" cannot be used", key.name);
        if text.is_empty() {
            self.wrong(at, format!("{} is empty", key.name), format!("write {}", row.values));
        } else if let Err(error) = row.read(text, &mut Config::default()) {
            let why = error.why.trim_end_matches(['.', '。']);
            self.wrong(at, what, why.strip_prefix("Allowed: ").map_or(why.to_owned(), |them| format!("write {them}")));
        } else if key.name == "model" && !models::is_plain_name(text) {
            self.wrong(at, what, "name a model beside the page, such as default; a lesson loads none from elsewhere");
        }
    }

    fn goto(&mut self, node: &Node) -> Option<Goto> {
        if let Value::Text(text) = &node.value {
            if text.chars == "overflow" {
                return Some(Goto::Overflow);
            }
            self.wrong(node.at, format!("“{}” is not a place", text.chars), "write \"overflow\", or { \"layer\": 0 }");
            return None;
        }
        let texts = self.attributes(node, "goto", &PLACE);
        Some(Goto::Place(configured(&texts).place))
    }

    fn lock(&mut self, node: &Node) -> Offered {
        let mut locked = Offered::NONE;
        for node in self.one_or_more(node, "lock", ControlName::ALL.len()) {
            let Some(text) = self.text(node, "a control") else { continue };
            match ControlName::of_word(&text.chars) {
                Some(control) => locked = locked.with(control),
                None => {
                    let what = format!("no control is called “{}”", text.chars);
                    self.wrong(node.at, what, format!("write some of {}", ControlName::words()));
                }
            }
        }
        locked
    }
}
