//! A page of HTML as the text that people read, a line for each block.

/// Elements whose content nobody reads.
const SILENT: [&str; 3] = ["script", "style", "svg"];

/// Elements that stand within a line.
const INLINE: [&str; 13] = [
    "a", "abbr", "b", "button", "code", "em", "label", "small", "span", "strong", "td", "th", "wbr",
];

/// The text of a page: a line for each block, cells with a bar between, links with where they
/// lead to, and `[time]` for a moment.
pub(super) fn outline(page: &str) -> String {
    let mut lines = vec![String::new()];
    let mut silent: Option<&str> = None;
    let mut links = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if let Some(within) = silent {
            if tag.strip_prefix('/') != Some(within) {
                continue;
            }
            silent = None;
        } else if let Some(name) = SILENT.into_iter().chain(["time"]).find(|of| *of == name) {
            silent = (!tag.starts_with('/')).then_some(name);
            if name == "time" {
                add(&mut lines, "[time]");
            }
            continue;
        }
        match (name, tag.starts_with('/')) {
            ("a", false) => {
                links.push(tag.split("href=\"").nth(1).and_then(|of| of.split('"').next()));
            }
            ("a", true) => {
                if let Some(to) = links.pop().flatten() {
                    add(&mut lines, &format!("({to})"));
                }
            }
            ("td" | "th", true) => add(&mut lines, " |"),
            ("button" | "label" | "small" | "span", _) => add(&mut lines, " "),
            ("input", _) => add(&mut lines, "[input]"),
            _ if !INLINE.contains(&name) && name != "time" => lines.push(String::new()),
            _ => {}
        }
        add(&mut lines, text);
    }
    let lines = lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn add(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

#[test]
fn a_block_is_a_line_and_what_nobody_reads_is_left_out() {
    let page = "<!doctype html><style>p { }</style><h1>A <b>b</b></h1><script>x</script>\
                <p>See <a href=\"/c\">c</a> since <time datetime=\"1\">3 s</time>.</p>\
                <table><tr><th>D</th><td>1</td></tr></table>";
    assert_eq!(outline(page), "A b\nSee c(/c) since [time].\nD |1 |");
}
