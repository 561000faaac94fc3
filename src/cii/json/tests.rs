use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn half_a_surrogate_pair_becomes_the_replacement_character() {
    for (text, expected) in [
        (r#"{"a":"Zoë \ud83d"}"#, json!({ "a": "Zoë \u{fffd}" })),
        (r#"{"a":"\uD83D\ude00"}"#, json!({ "a": "😀" })),
        (r#"["\ud83d","\ud83d\ude00"]"#, json!(["\u{fffd}", "😀"])),
        (r#"["\ude00 low alone"]"#, json!(["\u{fffd} low alone"])),
        (r#"["\ud83d\ud83d\ude00"]"#, json!(["\u{fffd}😀"])),
        (r#"["\ud83dx","\ud83d\n"]"#, json!(["\u{fffd}x", "\u{fffd}\n"])),
        (r#"["\ud83d\u0041"]"#, json!(["\u{fffd}A"])),
        (r#"{"\ud83d":{"\udc00":1}}"#, json!({ "\u{fffd}": { "\u{fffd}": 1 } })),
        // An escaped backslash begins no escape.
        (r#"["\\ud83d","\ud83d"]"#, json!(["\\ud83d", "\u{fffd}"])),
        (r#"["\"\ud83d\""]"#, json!(["\"\u{fffd}\""])),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap(), expected, "{text}");
    }
}

#[test]
fn odd_numbers_become_texts_where_that_is_asked_for() {
    for (text, expected) in [
        ("[NaN,-Infinity, 1e999 ]", json!(["NaN", "-Infinity", "1e999"])),
        (
            r#"{"a":007,"b":+5,"c":.5,"d":-1e999}"#,
            json!({ "a": "007", "b": "+5", "c": ".5", "d": "-1e999" }),
        ),
        (
            r#"["NaN, 1e999",1e999,1.5e3,true,null]"#,
            json!(["NaN, 1e999", "1e999", 1500.0, true, null]),
        ),
        (r#"["\\\"",NaN,"é\ud83d"]"#, json!(["\\\"", "NaN", "é\u{fffd}"])),
    ] {
        assert_eq!(parse_with_odd_numbers(text.as_bytes()).unwrap(), expected, "{text}");
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
    for text in ["[nul]", "{NaN:1}x", "[1 2]", "[1e]", "é", "[undefined]"] {
        assert!(parse_with_odd_numbers(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn bytes_that_are_no_text_are_mended() {
    assert_eq!(parse(b"\xef\xbb\xbf{\"a\":1}").unwrap(), json!({ "a": 1 }));
    assert_eq!(parse(b"[\"a\xff\", \"b\"]").unwrap(), json!(["a\u{fffd}", "b"]));
    assert_eq!(parse(b"[\"a\x01\tb\n\"]").unwrap(), json!(["a\u{1}\tb\n"]));
    assert_eq!(
        parse(b"\xef\xbb\xbf[\"\xff\\ud83d\x02\"]").unwrap(),
        json!(["\u{fffd}\u{fffd}\u{2}"])
    );
}

#[test]
fn what_cannot_be_mended_is_an_error() {
    for text in ["", "<html>", "{", r#"{"a":"#, r#"["\u12"]"#, r#"["\x"]"#, "[1e999]", "[\"\\"] {
        parse(text.as_bytes()).unwrap_err();
    }
    assert!(parse(br#"{"a":"\ud83d"#).unwrap_err().is_eof());
    parse("[".repeat(100_000).as_bytes()).unwrap_err();
}

#[test]
fn a_large_document_takes_linear_time() {
    let text = format!("[\"{}\"]", r"\ud83d".repeat(1 << 20));
    let begun = std::time::Instant::now();
    parse(text.as_bytes()).unwrap();
    assert!(begun.elapsed().as_secs() < 20);
}

proptest! {
    #[test]
    fn a_valid_document_is_not_changed(texts in prop::collection::vec(".*", 0..4)) {
        let document = json!({ "texts": texts, "n": [1, null, true, -2.5] });
        prop_assert_eq!(parse(document.to_string().as_bytes()).unwrap(), document.clone());
        // Nor would mending change it.
        prop_assert_eq!(mend(document.to_string().as_bytes(), Numbers::Strict), document.to_string());
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes);
    }
}
