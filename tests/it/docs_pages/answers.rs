//! The page that tells figures with their answers tells those of the demo data. `AETHER_WRITE_ANSWERS=1` writes them anew, to be read before they
//! are committed.

use std::{env, fs, path::Path};

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::{page, run};
use crate::support::Gateway;

const PAGE: &str = "figures-with-answers.md";

#[tokio::test]
async fn figures_have_the_answers_that_the_page_tells() {
    let day = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day");
    let page = page(PAGE);
    assert!(page.text.contains(&format!("--demo-date {day}")), "the page says how to have the same data");
    let gateway = Gateway::as_of(day).await;
    let answers = run(&gateway, &page).await.unwrap_or_else(|problem| panic!("{problem}"));
    let told: Vec<&str> =
        page.fenced().into_iter().filter_map(|(_, (words, body))| (words == "json").then_some(body)).collect();
    assert!(told.len() > 10 && told.len() == answers.len(), "each question has its answer");
    if env::var_os("AETHER_WRITE_ANSWERS").is_some() {
        let mut text = page.text.clone();
        let mut at = 0;
        let asked: Vec<String> = page.blocks().into_iter().flat_map(|block| block.operations).collect();
        for (answer, asked) in answers.iter().zip(&asked) {
            let begin = at + text[at..].find("```json\n").expect("a place for it") + "```json\n".len();
            let end = begin + text[begin..].find("```").expect("an end");
            let written = format!("{}\n", laid_out(answer, asked, 0));
            text.replace_range(begin..end, &written);
            at = begin + written.len();
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(PAGE);
        return fs::write(path, text).expect("the page is written");
    }
    for (answer, told) in answers.iter().zip(told) {
        let told: Value = serde_json::from_str(told).unwrap_or_else(|error| panic!("{told}: {error}"));
        assert_eq!(*answer, told);
    }
}

/// JSON as people lay it out: fields in the order in which they were asked for, and what fits on a line is on one.
fn laid_out(value: &Value, asked: &str, depth: usize) -> String {
    let short = on_one_line(value, asked);
    if 2 * depth + short.len() <= 150 {
        return short;
    }
    let (margin, inner) = ("  ".repeat(depth), "  ".repeat(depth + 1));
    let lines = |parts: Vec<String>| parts.join(&format!(",\n{inner}"));
    match value {
        Value::Object(fields) => {
            let fields = in_order(fields, asked).into_iter();
            let fields = fields.map(|(name, value)| format!("\"{name}\": {}", laid_out(value, asked, depth + 1)));
            format!("{{\n{inner}{}\n{margin}}}", lines(fields.collect()))
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| laid_out(item, asked, depth + 1));
            format!("[\n{inner}{}\n{margin}]", lines(items.collect()))
        }
        _ => short,
    }
}

fn on_one_line(value: &Value, asked: &str) -> String {
    match value {
        Value::Object(fields) => {
            let fields = in_order(fields, asked).into_iter();
            let fields = fields.map(|(name, value)| format!("\"{name}\": {}", on_one_line(value, asked)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| on_one_line(item, asked)).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

fn in_order<'v>(fields: &'v Map<String, Value>, asked: &str) -> Vec<(&'v String, &'v Value)> {
    let words: Vec<&str> = asked.split(|letter: char| !letter.is_alphanumeric()).collect();
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| words.iter().position(|word| word == name));
    fields
}
