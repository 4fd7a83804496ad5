//! The parts depend on each other one way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{UseTree, visit::Visit};

type Module = Vec<String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// With what that crate offers one can read past the scope.
#[test]
fn only_the_store_depends_on_the_crate_that_reads() {
    let mut who = Vec::new();
    for folder in fs::read_dir(root().join("crates")).unwrap() {
        let folder = folder.unwrap().path();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        if manifest.lines().any(|line| line.starts_with("aether-query")) {
            who.push(folder.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    assert_eq!(who, ["store"]);
}

/// What people do is the same whoever asks for it, and however.
#[test]
fn the_application_knows_neither_graphql_nor_http() {
    let manifest = fs::read_to_string(root().join("crates/application/Cargo.toml")).unwrap();
    let depends = |on: &str| manifest.lines().any(|line| line.starts_with(on));
    let foreign = ["async-graphql", "aether-graphql", "aether-operation", "aether-server", "axum", "http", "tokio"];
    let known: Vec<&str> = foreign.into_iter().filter(|on| depends(on)).collect();
    assert!(known.is_empty(), "{known:?}");
    assert!(depends("aether-store"));
}

#[test]
fn the_files_of_a_crate_have_no_cycle() {
    for (name, files, links) in [("query", 30, 60), ("store", 40, 80), ("application", 40, 60), ("graphql", 60, 100)] {
        let graph = graph(&root().join("crates").join(name).join("src"));
        assert!(graph.len() > files && graph.values().map(BTreeSet::len).sum::<usize>() > links, "{name}: {graph:?}");
        let cycle = cycle(&graph);
        let shown = cycle.iter().map(|module| {
            let to = graph[module]
                .intersection(&cycle.iter().cloned().collect())
                .map(|to| to.join("::"))
                .collect::<Vec<_>>();
            format!("{} names {}", module.join("::"), to.join(", "))
        });
        assert!(cycle.is_empty(), "{name}:\n{}", shown.collect::<Vec<_>>().join("\n"));
    }
}

#[test]
fn a_cycle_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let edges = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")];
    let graph = edges.iter().fold(BTreeMap::<_, BTreeSet<_>>::new(), |mut graph, (from, to)| {
        graph.entry(module(from)).or_default().insert(module(to));
        graph
    });
    assert_eq!(cycle(&graph), [module("b"), module("c")]);
}

/// Those that are left when whoever depends on nobody left, or has nobody left who depends on it, is taken away.
fn cycle(graph: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Module> {
    let mut left: BTreeSet<Module> = graph.keys().cloned().collect();
    loop {
        let inner = |module: &Module| {
            graph[module].iter().any(|to| left.contains(to)) && left.iter().any(|from| graph[from].contains(module))
        };
        let kept: BTreeSet<Module> = left.iter().filter(|module| inner(module)).cloned().collect();
        if kept.len() == left.len() {
            return kept.into_iter().collect();
        }
        left = kept;
    }
}

/// The files of a crate by the modules that they are, and which of them each names: what a `mod.rs` hands on is that of the file it is
/// from.
fn graph(folder: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut files = BTreeMap::new();
    read(folder, &mut Vec::new(), &mut files);
    let mut handed_on = BTreeMap::<Module, BTreeMap<String, Module>>::new();
    for (module, (file, is_folder)) in &files {
        if *is_folder {
            let names = handed_on.entry(module.clone()).or_default();
            for item in &file.items {
                if let syn::Item::Use(used) = item {
                    for path in paths(&used.tree) {
                        if let Some((name, from)) = path.split_last() {
                            names.insert(name.clone(), file_of(module, from, &files, &BTreeMap::new()));
                        }
                    }
                }
            }
        }
    }
    let mut graph = BTreeMap::new();
    for (module, (file, is_folder)) in &files {
        let mut named = Named { paths: Vec::new(), hands_on: *is_folder };
        named.visit_file(file);
        let named = named.paths.iter().filter(|path| ["crate", "self", "super"].contains(&&*path[0]));
        let mut to: BTreeSet<Module> = named.map(|path| file_of(module, path, &files, &handed_on)).collect();
        to.remove(module);
        graph.insert(module.clone(), to);
    }
    graph
}

fn read(folder: &Path, module: &mut Module, files: &mut BTreeMap<Module, (syn::File, bool)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            module.push(name);
            read(&path, module, files);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let is_folder = ["lib", "mod"].contains(&&*name);
            let mut module = module.clone();
            if !is_folder {
                module.push(name);
            }
            files.insert(module, (syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap(), is_folder));
        }
    }
}

/// The file that a path leads into.
fn file_of(
    from: &Module,
    path: &[String],
    files: &BTreeMap<Module, (syn::File, bool)>,
    handed_on: &BTreeMap<Module, BTreeMap<String, Module>>,
) -> Module {
    let mut at = from.clone();
    for step in path {
        match step.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => _ = at.pop(),
            name => {
                let inner: Module = at.iter().cloned().chain([name.to_owned()]).collect();
                match handed_on.get(&at).and_then(|names| names.get(name)) {
                    _ if files.contains_key(&inner) => at = inner,
                    Some(file) => return file.clone(),
                    None => return at,
                }
            }
        }
    }
    at
}

fn paths(tree: &UseTree) -> Vec<Vec<String>> {
    match tree {
        UseTree::Path(path) => paths(&path.tree)
            .into_iter()
            .map(|rest| std::iter::once(path.ident.to_string()).chain(rest).collect())
            .collect(),
        UseTree::Name(name) => vec![vec![name.ident.to_string()]],
        UseTree::Rename(name) => vec![vec![name.ident.to_string()]],
        UseTree::Glob(_) => vec![Vec::new()],
        UseTree::Group(group) => group.items.iter().flat_map(paths).collect(),
    }
}

/// The paths that a file names, its tests' left out.
struct Named {
    paths: Vec<Vec<String>>,
    /// Whether what it uses it only hands on.
    hands_on: bool,
}

impl<'a> Visit<'a> for Named {
    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        if module.ident != "tests" {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, used: &'a syn::ItemUse) {
        if !(self.hands_on && matches!(used.vis, syn::Visibility::Public(_) | syn::Visibility::Restricted(_))) {
            self.paths.extend(paths(&used.tree).into_iter().filter(|path| !path.is_empty()));
        }
    }

    /// `pub(super)` names nobody.
    fn visit_vis_restricted(&mut self, _: &'a syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
}
