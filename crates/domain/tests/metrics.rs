//! Properties of reading an import of metrics.

use std::collections::HashSet;

use aether_domain::{
    metric::{Forecast, Kind, MetricKey, MetricLine, parse_metrics},
    sheet::MOST_PROBLEMS,
    spelling::{clean, key},
};
use chrono::NaiveDate;
use proptest::{collection::vec, option, prelude::*, sample::select};
use rust_decimal::Decimal;

/// At most 18 digits before the point and two after it.
fn amount() -> impl Strategy<Value = Decimal> {
    const MOST: i128 = 1_000_000_000_000_000_000;
    (0_u32..=2)
        .prop_flat_map(|scale| (1 - MOST * 10_i128.pow(scale)..MOST * 10_i128.pow(scale), Just(scale)))
        .prop_map(|(digits, scale)| Decimal::from_i128_with_scale(digits, scale))
}

fn text(most: usize) -> impl Strategy<Value = Option<String>> {
    // Quotes, commas, semicolons, letters of other scripts: whatever is seen and has nothing to be trimmed.
    option::of(
        "[^\\p{C}\\p{Z}\\p{Default_Ignorable_Code_Point}][^\\p{C}\\p{Default_Ignorable_Code_Point}]{0,20}"
            .prop_map(move |text| text.chars().take(most).collect::<String>().trim().to_owned()),
    )
    .prop_map(|text| text.filter(|text| !text.is_empty()))
}

/// A name as it is kept, of as many characters.
fn name(most: usize) -> impl Strategy<Value = Option<String>> {
    text(most).prop_map(move |name| name.map(|name| clean(&name)).filter(|name| name.chars().count() <= most))
}

fn forecast() -> impl Strategy<Value = Forecast> {
    (amount(), option::of(amount()), option::of(amount()), text(100)).prop_map(|(value, one, other, model)| {
        let (lower, upper) = match (one, other) {
            (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
            ends => ends,
        };
        Forecast { value, lower, upper, model }
    })
}

fn line() -> impl Strategy<Value = MetricLine> {
    let date =
        (1900_i32..=2200, 1_u32..=365).prop_filter_map("no day", |(year, day)| NaiveDate::from_yo_opt(year, day));
    let of = (date, select(Kind::ALL.to_vec()), name(50), name(50), name(100))
        .prop_map(|(date, kind, region, lob, product)| MetricKey { date, kind, region, lob, product });
    (
        of,
        option::of(amount()),
        option::of(forecast()),
        option::of(amount()),
        option::of(select(vec!["USD", "EUR", "JPY", "XDR"])),
    )
        .prop_filter_map("a line without a value", |(key, actual, forecast, budget, currency)| {
            let says_something = actual.is_some() || forecast.is_some() || budget.is_some();
            says_something.then_some(MetricLine {
                line: 0,
                key,
                actual,
                forecast,
                budget,
                currency: currency.map(str::to_owned),
            })
        })
}

/// Metrics as CSV, by the csv crate.
fn written(lines: &[MetricLine]) -> String {
    let number = |value: Option<Decimal>| value.map(|value| value.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = "date,metric_type,region,lob,product,actual,forecast,budget,forecast_lower,forecast_upper,forecast_model,currency";
    writer.write_record(header.split(',')).expect("it is written");
    for line in lines {
        let forecast = line.forecast.as_ref();
        let cells = [
            line.key.date.to_string(),
            line.key.kind.as_str().to_owned(),
            text(&line.key.region),
            text(&line.key.lob),
            text(&line.key.product),
            number(line.actual),
            number(forecast.map(|forecast| forecast.value)),
            number(line.budget),
            number(forecast.and_then(|forecast| forecast.lower)),
            number(forecast.and_then(|forecast| forecast.upper)),
            text(&forecast.and_then(|forecast| forecast.model.clone())),
            text(&line.currency),
        ];
        writer.write_record(cells).expect("it is written");
    }
    String::from_utf8(writer.into_inner().expect("it is written")).expect("UTF-8")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_is_read_again(mut lines in vec(line(), 0..20)) {
        let mut keys = HashSet::new();
        lines.retain(|line| {
            let alike = [&line.key.region, &line.key.lob, &line.key.product].map(|name| name.as_deref().map(key));
            keys.insert((line.key.date, line.key.kind, alike))
        });
        for (at, line) in lines.iter_mut().enumerate() {
            line.line = at as u64 + 2;
        }
        prop_assert_eq!(parse_metrics(&written(&lines)), Ok(lines));
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC*|[\"\n\r,;a-z0-9]*") {
        if let Err(problems) = parse_metrics(&text) {
            prop_assert!(!problems.is_empty() && problems.len() <= MOST_PROBLEMS);
        }
    }

    #[test]
    fn no_line_is_too_odd(lines in vec("[\"\n\r,0-9a-zA-Z.%-]{0,40}|2026-0[1-9],(MRR|ARR),-?[0-9]{0,22}(\\.[0-9]{0,4})?,[a-zA-Z]{0,4}", 0..200)) {
        let text = format!("date,metric_type,actual,currency\n{}", lines.join("\n"));
        match parse_metrics(&text) {
            Ok(read) => prop_assert!(read.len() <= lines.len()),
            Err(problems) => {
                prop_assert!(!problems.is_empty() && problems.len() <= MOST_PROBLEMS);
                prop_assert!(problems.iter().all(|problem| problem.line >= 1 && !problem.message.is_empty()));
            }
        }
    }

    #[test]
    fn a_line_twice_is_refused(line in line()) {
        let once = written(std::slice::from_ref(&line));
        let twice = written(&[line.clone(), line]);
        prop_assert_eq!(parse_metrics(&once).map(|lines| lines.len()), Ok(1));
        prop_assert_eq!(parse_metrics(&twice).map_err(|problems| problems[0].line), Err(3));
    }
}
