//! Which parts of a file are there for tests alone.

use std::ops::RangeInclusive;

use syn::{
    Attribute, Ident, ImplItem, Item, Token,
    punctuated::Punctuated,
    spanned::Spanned as _,
    visit::{self, Visit},
};

/// The lines of a file that are not for tests alone.
pub fn without_tests(text: &str, syntax: &syn::File) -> String {
    let mut tests = Lines(Vec::new());
    tests.visit_file(syntax);
    let is_test = |line: usize| tests.0.iter().any(|lines| lines.contains(&line));
    // Lines are counted from 1.
    let kept = (1..).zip(text.lines()).filter(|(number, _)| !is_test(*number));
    kept.flat_map(|(_, line)| [line, "\n"]).collect()
}

/// Whether these attributes leave something out where no test is built.
pub fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        attribute.path().is_ident("test")
            || (is_cfg && attribute.parse_args::<syn::Meta>().is_ok_and(|meta| is_test(&meta)))
    })
}

/// The same of an item.
pub fn item_is_for_tests(item: &Item) -> bool {
    is_for_tests(match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    })
}

/// `test`, or what fuzzing sees beside the tests: `any(test, fuzzing)`.
fn is_test(meta: &syn::Meta) -> bool {
    let is = |name| meta.path().is_ident(name);
    match meta {
        syn::Meta::List(list) if is("any") => {
            let names = Punctuated::<Ident, Token![,]>::parse_terminated;
            list.parse_args_with(names)
                .is_ok_and(|names| names.iter().all(|name| name == "test" || name == "fuzzing"))
        }
        _ => is("test"),
    }
}

/// The lines of what is for tests alone.
struct Lines(Vec<RangeInclusive<usize>>);

impl Lines {
    fn add(&mut self, span: proc_macro2::Span) {
        self.0.push(span.start().line..=span.end().line);
    }
}

impl<'ast> Visit<'ast> for Lines {
    fn visit_item(&mut self, item: &'ast Item) {
        if item_is_for_tests(item) {
            self.add(item.span());
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => return visit::visit_impl_item(self, item),
        };
        if is_for_tests(attributes) {
            self.add(item.span());
        } else {
            visit::visit_impl_item(self, item);
        }
    }
}

#[test]
fn what_stands_behind_a_test_is_read() {
    let text = "struct A;\nimpl A {\n    #[cfg(test)]\n    fn b() {\n    }\n    fn c() {}\n}\n\
                #[cfg(any(test, fuzzing))]\nmod d {\n}\n/// E.\n#[cfg(test)]\nuse e::E;\nfn f() {}\n";
    let kept = without_tests(text, &syn::parse_file(text).unwrap());
    assert_eq!(kept, "struct A;\nimpl A {\n    fn c() {}\n}\nfn f() {}\n");
}
