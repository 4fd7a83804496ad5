//! What the documentation promises, as far as a program can tell: links lead somewhere, every variable is listed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

/// Checks the pages below this folder.
pub fn check(root: &Path) -> Result<()> {
    let mut problems = Vec::new();
    for page in pages(root)? {
        let text = fs::read_to_string(&page)?;
        let folder = page.parent().unwrap_or(root);
        for target in links(&text) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = if path.is_empty() { page.clone() } else { folder.join(path) };
            let name = page.strip_prefix(root).unwrap_or(&page).display();
            if !linked.exists() {
                problems.push(format!("{name}: there is no {target}"));
            } else if !anchor.is_empty() && !anchors(&fs::read_to_string(&linked)?).contains(anchor) {
                problems.push(format!("{name}: {target} names no heading"));
            }
        }
    }
    let config = fs::read_to_string(root.join("crates/server/src/config.rs"))?;
    let example = fs::read_to_string(root.join(".env.example"))?;
    for variable in variables(&config, "env = \"", '"').difference(&variables(&example, "\n#", '=')) {
        problems.push(format!(".env.example: {variable} is missing"));
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

/// The Markdown files at the top and in `docs/`.
fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for folder in [root.to_owned(), root.join("docs")] {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    Ok(pages)
}

/// The text outside fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The targets of links into the repository.
fn links(text: &str) -> Vec<&str> {
    let targets = prose(text).flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}

/// The anchors of the headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

/// The names in capitals between this text and that character.
fn variables<'a>(text: &'a str, before: &'static str, after: char) -> BTreeSet<&'a str> {
    let names = text.split(before).skip(1).filter_map(|rest| rest.split(after).next());
    names.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_code() {
        let text = "See [a](b.md#c) and [d](https://e.f).\n```\n[g](h)\n```\n[i](#j)\n";
        assert_eq!(links(text), ["b.md#c", "#j"]);
    }

    #[test]
    fn anchors_are_those_of_github() {
        let found = anchors("# How to add …\n## A `column`, or two\n```\n# no heading\n```\n");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a-column-or-two", "how-to-add-"]);
    }

    #[test]
    fn variables_are_names_in_capitals() {
        assert_eq!(variables("\n#A_B=1\n# c=2\n#D=\n", "\n#", '=').into_iter().collect::<Vec<_>>(), ["A_B", "D"]);
    }
}
