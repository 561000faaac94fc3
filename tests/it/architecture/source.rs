//! The modules of a crate, and which file each path in them leads to.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Item, UseTree,
    visit::{self, Visit},
};

use super::tests_in::{is_for_tests, item_is_for_tests, without_tests};

/// A module's path below the crate's root, such as `["store", "write"]`; empty for
/// the root.
pub type Module = Vec<String>;

/// A crate's source, read.
pub struct Crate {
    files: BTreeMap<Module, File>,
}

/// A module's file.
struct File {
    /// What stands in it, tests left out.
    text: String,
    path: PathBuf,
    children: BTreeSet<String>,
    /// What each `use` brings in: the name here, and the path there.
    imports: BTreeMap<String, Vec<String>>,
    /// Every path in the file, imports included.
    paths: BTreeSet<Vec<String>>,
}

impl Crate {
    /// Reads the modules that the root file declares, and theirs. Modules for tests
    /// alone are left out: they may see whatever they try.
    pub fn read(root: &Path) -> Self {
        let mut found = Self { files: BTreeMap::new() };
        let folder = root.parent().unwrap();
        found.add(Vec::new(), root, folder);
        found
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        let module = |path: &str| split(path);
        let files = files
            .iter()
            .map(|(path, text)| (module(path), File::parse(Path::new(path), text)))
            .collect();
        Self { files }
    }

    fn add(&mut self, module: Module, path: &Path, folder: &Path) {
        let text = fs::read_to_string(path).unwrap();
        let file = File::parse(path, &text);
        for name in &file.children {
            let child = [module.as_slice(), std::slice::from_ref(name)].concat();
            let single = folder.join(format!("{name}.rs"));
            let path = if single.exists() { single } else { folder.join(name).join("mod.rs") };
            self.add(child, &path, &folder.join(name));
        }
        self.files.insert(module, file);
    }

    /// The modules that are declared in the root.
    pub fn rooms(&self) -> BTreeSet<String> {
        self.files[&Vec::new()].children.clone()
    }

    /// What stands in each file, tests left out.
    pub fn texts(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.files.values().map(|file| (file.path.as_path(), file.text.as_str()))
    }

    /// Which modules a module's paths lead to. A path through a re-export leads to the
    /// module that defines what is named.
    pub fn uses(&self) -> impl Iterator<Item = (&Module, Module)> {
        self.files.iter().flat_map(|(module, file)| {
            let targets = file.paths.iter().filter_map(|path| self.resolve(module, path));
            let targets: BTreeSet<_> = targets.filter(|target| target != module).collect();
            targets.into_iter().map(move |target| (module, target))
        })
    }

    /// The module that a path leads to; nothing when it leads out of the crate.
    fn resolve(&self, from: &[String], path: &[String]) -> Option<Module> {
        self.follow(from, path, 0)
    }

    fn follow(&self, from: &[String], path: &[String], depth: usize) -> Option<Module> {
        // Imports that name each other do not compile; a bound costs nothing.
        if depth > 16 {
            return None;
        }
        let mut module = from.to_vec();
        for (position, name) in path.iter().enumerate() {
            match name.as_str() {
                "crate" => module.clear(),
                "self" => {}
                "super" => drop(module.pop()?),
                _ => {
                    let file = self.files.get(&module)?;
                    if file.children.contains(name) {
                        module.push(name.clone());
                    } else if let Some(import) = file.imports.get(name) {
                        let rest = &path[position + 1..];
                        let whole = [import.as_slice(), rest].concat();
                        // `use serde_json;` is a name of its own and leads nowhere.
                        return (whole != path).then(|| self.follow(&module, &whole, depth + 1))?;
                    } else {
                        // An item of this module, or another crate's name.
                        return (position > 0).then_some(module);
                    }
                }
            }
        }
        Some(module)
    }
}

impl File {
    fn parse(path: &Path, text: &str) -> Self {
        let syntax = syn::parse_file(text).unwrap();
        let mut file = Self {
            text: without_tests(text, &syntax),
            path: path.to_owned(),
            children: BTreeSet::new(),
            imports: BTreeMap::new(),
            paths: BTreeSet::new(),
        };
        for item in &syntax.items {
            if let Item::Mod(module) = item
                && module.content.is_none()
                && !is_for_tests(&module.attrs)
            {
                file.children.insert(module.ident.to_string());
            }
        }
        Reader { file: &mut file }.visit_file(&syntax);
        file
    }
}

struct Reader<'a> {
    file: &'a mut File,
}

impl Reader<'_> {
    fn tree(&mut self, before: &[String], tree: &UseTree) {
        let (name, path) = match tree {
            UseTree::Path(path) => {
                return self.tree(&with(before, &path.ident), &path.tree);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.tree(before, tree));
            }
            UseTree::Glob(_) => {
                self.file.paths.insert(before.to_vec());
                return;
            }
            // `use a::{self}` is `use a`.
            UseTree::Name(name) if name.ident == "self" => {
                (before.last().unwrap().clone(), before.to_vec())
            }
            UseTree::Name(name) => (name.ident.to_string(), with(before, &name.ident)),
            UseTree::Rename(rename) => (rename.rename.to_string(), with(before, &rename.ident)),
        };
        self.file.paths.insert(path.clone());
        self.file.imports.insert(name, path);
    }
}

fn with(before: &[String], name: &proc_macro2::Ident) -> Vec<String> {
    before.iter().cloned().chain([name.to_string()]).collect()
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !item_is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.to_string());
            self.file.paths.insert(names.collect());
        }
        visit::visit_path(self, path);
    }

    /// What a macro makes of its tokens is its own affair; the paths in them are read
    /// as they stand.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        tokens(call.tokens.clone(), &mut self.file.paths);
    }
}

/// Adds the paths of two names and more.
fn tokens(stream: TokenStream, paths: &mut BTreeSet<Vec<String>>) {
    let (mut path, mut colons) = (Vec::new(), 0);
    for token in stream {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Ident(name) => {
                if colons != 2 {
                    finish(&mut path, paths);
                }
                path.push(name.to_string());
                colons = 0;
            }
            other => {
                finish(&mut path, paths);
                colons = 0;
                if let TokenTree::Group(group) = other {
                    tokens(group.stream(), paths);
                }
            }
        }
    }
    finish(&mut path, paths);
}

fn finish(path: &mut Vec<String>, paths: &mut BTreeSet<Vec<String>>) {
    let path = std::mem::take(path);
    if path.len() > 1 {
        paths.insert(path);
    }
}

#[cfg(test)]
fn split(path: &str) -> Module {
    path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(files: &[(&str, &str)]) -> Vec<String> {
        let read = Crate::of(files);
        read.uses().map(|(from, to)| format!("{} > {}", from.join("::"), to.join("::"))).collect()
    }

    #[test]
    fn a_path_leads_to_the_file_that_defines_what_it_names() {
        let found = uses(&[
            ("", "pub mod a; pub mod b;"),
            ("a", "mod error; pub use error::{Error as Failure, other}; pub struct Whole;"),
            ("a::error", "use super::Whole;"),
            ("b", "mod one; mod two; use crate::{a::{self, Failure}, b::one as first};"),
            ("b::one", "fn f() { super::two::g(); html! { (crate::a::Whole) @for x in y {} } }"),
            ("b::two", "#[cfg(test)] mod tests { use crate::a::Whole; }\nuse serde::Serialize;"),
        ]);
        let expected = ["a > a::error", "a::error > a", "b > a", "b > a::error", "b > b::one"];
        let rest = ["b::one > a", "b::one > b::two"];
        assert_eq!(found, [expected.as_slice(), &rest].concat());
    }

    #[test]
    fn a_module_that_was_imported_is_followed_where_its_name_is_used() {
        let found = uses(&[
            ("", "mod a; mod b;"),
            ("a", "use crate::b; fn f(x: b::Inner) -> std::fmt::Result { b::deep::g(x) }"),
            ("b", "pub mod deep; pub use self::deep::Inner;"),
            ("b::deep", ""),
        ]);
        assert_eq!(found, ["a > b", "a > b::deep", "b > b::deep"]);
    }
}
