//! Questions and answers of our own making, generated from a seed: sums, copying, sorting, asking for JSON. Held out: the
//! first sheets, other seeds. The language model never sees them; its instruction-tuned variant sees nothing else.

use std::collections::HashSet;

use super::arithmetic::Draw;
use super::document::Document;

const MAX_BYTES: usize = 2_500_000;

/// Seeds of sheets begin here, so that no sheet draws what one of arithmetic drew.
const FIRST_SEED: u64 = 1 << 32;

const WORDS: [&str; 48] = [
    "apple", "river", "stone", "letter", "window", "garden", "silver", "winter", "bridge", "candle", "forest",
    "island", "kettle", "ladder", "market", "needle", "orange", "pencil", "quiet", "rabbit", "saddle", "table",
    "uncle", "valley", "wagon", "yellow", "anchor", "basket", "castle", "desert", "engine", "feather", "guitar",
    "hammer", "insect", "jacket", "lemon", "mirror", "ocean", "paper", "rocket", "school", "ticket", "violin", "water",
    "bottle", "flower", "cloud",
];

const NAMES: [&str; 16] = [
    "Ada", "Ben", "Clara", "David", "Emma", "Frank", "Grace", "Henry", "Iris", "John", "Kate", "Louis", "Maria",
    "Nora", "Oscar", "Paula",
];

/// One document and one file a sheet, of ten to twenty questions. A question is asked once in the whole corpus.
pub fn documents() -> Vec<Document> {
    let mut asked = HashSet::new();
    let mut documents = Vec::new();
    let mut bytes = 0;
    for seed in FIRST_SEED.. {
        if bytes >= MAX_BYTES {
            break;
        }
        let document = Document::new(format!("questions {}", seed - FIRST_SEED), &sheet(seed, &mut asked));
        bytes += document.text.len();
        documents.push(document);
    }
    documents
}

fn sheet(seed: u64, asked: &mut HashSet<String>) -> String {
    let mut draw = Draw(seed);
    let num_questions = draw.between(10, 20);
    let mut sheet = String::new();
    let mut num_asked = 0;
    while num_asked < num_questions {
        let (question, answer) = pair(&mut draw);
        if asked.insert(question.clone()) {
            sheet.push_str(&format!("Question: {question}\nAnswer: {answer}\n\n"));
            num_asked += 1;
        }
    }
    sheet
}

fn pair(draw: &mut Draw) -> (String, String) {
    match draw.below(6) {
        0 => {
            let (a, b) = (draw.between(10, 999), draw.between(10, 999));
            (format!("What is {a} + {b}?"), (a + b).to_string())
        }
        1 => {
            let (a, b) = (draw.between(10, 999), draw.between(10, 999));
            (format!("What is {a} - {b}?"), (a - b).to_string())
        }
        2 => {
            let (a, b) = (draw.between(2, 99), draw.between(2, 99));
            (format!("What is {a} * {b}?"), (a * b).to_string())
        }
        3 => {
            let words = words(draw, 3, 6).join(" ");
            (format!("Copy these words: {words}"), words)
        }
        4 => {
            let len = draw.between(3, 7);
            let mut list: Vec<i64> = (0..len).map(|_| draw.between(0, 99)).collect();
            let spaced = |list: &[i64]| list.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
            let question = format!("Sort these numbers: {}", spaced(&list));
            list.sort_unstable();
            (question, spaced(&list))
        }
        _ => {
            let name = NAMES[draw.below(NAMES.len() as i64) as usize];
            let (age, item) = (draw.between(5, 99), words(draw, 1, 1)[0]);
            (
                format!("Write as JSON: {name} is {age} years old and has a {item}."),
                format!("{{\"name\": \"{name}\", \"age\": {age}, \"has\": \"{item}\"}}"),
            )
        }
    }
}

fn words(draw: &mut Draw, least: i64, most: i64) -> Vec<&'static str> {
    let len = draw.between(least, most);
    (0..len).map(|_| WORDS[draw.below(WORDS.len() as i64) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_of_a_thousand_sheets_is_right_and_no_question_comes_twice() {
        let mut asked = HashSet::new();
        let text: String = (0..1_000).map(|seed| sheet(seed, &mut asked)).collect();
        assert_eq!(text.matches("Question: ").count(), asked.len());
        for exchange in text.split_terminator("\n\n") {
            let (question, answer) = exchange.split_once("\nAnswer: ").expect("a question and an answer");
            let question = question.strip_prefix("Question: ").expect("a question first");
            if let Some(sum) = question.strip_prefix("What is ") {
                let parts: Vec<&str> = sum.trim_end_matches('?').split(' ').collect();
                let [a, b] = [parts[0], parts[2]].map(|number| number.parse::<i64>().expect("a number"));
                let expected = match parts[1] {
                    "+" => a + b,
                    "-" => a - b,
                    _ => a * b,
                };
                assert_eq!(answer, expected.to_string(), "{question}");
            } else if let Some(words) = question.strip_prefix("Copy these words: ") {
                assert_eq!(answer, words);
            } else if let Some(numbers) = question.strip_prefix("Sort these numbers: ") {
                let mut numbers: Vec<&str> = numbers.split(' ').collect();
                numbers.sort_by_key(|number| number.parse::<i64>().expect("a number"));
                assert_eq!(answer, numbers.join(" "));
            } else {
                let object: serde_json::Value = serde_json::from_str(answer).expect("JSON");
                let age = object["age"].as_i64().expect("an age");
                let (name, item) = (object["name"].as_str(), object["has"].as_str());
                let [name, item] = [name, item].map(|text| text.expect("text"));
                assert_eq!(question, format!("Write as JSON: {name} is {age} years old and has a {item}."));
            }
        }
    }
}
