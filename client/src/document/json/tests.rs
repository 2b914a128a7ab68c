use proptest::prelude::*;

use super::*;

fn code(text: &str) -> Result<(), &'static str> {
    StrictJson::read(text.as_bytes()).map(drop).map_err(|error| error.code())
}

fn canonical(text: &str) -> String {
    let json = StrictJson::read(text.as_bytes()).expect("the test gives strict JSON");
    String::from_utf8(json.canonical_bytes()).expect("canonical JSON is UTF-8")
}

#[test]
fn duplicate_names_are_refused_at_any_depth_and_after_unescaping() {
    for text in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":0,"\u0061":1}"#,
        r#"{"x":[{"y":{"a":1,"a":2}}]}"#,
        r#"{"":1,"":2}"#,
        r#"{"\ud83d\ude00":1,"😀":2}"#,
        "{\"/\":1,\"\\/\":2}",
    ] {
        assert_eq!(code(text), Err("json_duplicate_name"), "{text}");
    }
    for text in [r#"{"a":1,"A":2}"#, r#"{"a":{"a":1},"b":{"a":1}}"#, r#"[{"a":1},{"a":1}]"#, "{\"é\":1,\"e\u{301}\":2}"]
    {
        assert_eq!(code(text), Ok(()), "{text}");
    }
}

#[test]
fn a_refusal_says_where() {
    let error =
        StrictJson::read("{\n  \"ა\": 1, \"ects\": 2,\n \"ბ\": 1, \"ects\": 3}".as_bytes()).expect_err("a duplicate");
    let expected =
        DocumentError::JsonDuplicateName { name: "ects".to_owned(), position: Position { line: 3, column: 10 } };
    assert_eq!(error, expected);
    assert_eq!(
        error.to_string(),
        "the name “ects” occurs twice in one object (line 3, column 10); cannot be anchored as JSON; anchor as a file"
    );
}

#[test]
fn integers_end_at_two_to_the_53_less_one() {
    for text in [
        "9007199254740991",
        "-9007199254740991",
        "0",
        "-0",
        "9007199254740993.0",
        "9007199254740992e0",
        "1e20",
        "-1E+300",
    ] {
        assert_eq!(code(text), Ok(()), "{text}");
    }
    for text in [
        "9007199254740992",
        "-9007199254740992",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "123456789012345678901234567890",
        "[-123123123123123123123123123123]",
    ] {
        assert_eq!(code(text), Err("json_integer_too_large"), "{text}");
    }
}

#[test]
fn overflow_is_refused_and_underflow_is_zero() {
    for text in ["1e309", "-1e309", "1.7976931348623159e308", "0.4e999999999999999999999999"] {
        assert_eq!(code(text), Err("json_number_too_large"), "{text}");
    }
    for (text, expected) in [
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("5e-324", "5e-324"),
        ("1e-400", "0"),
        ("-1e-400", "0"),
        ("0e999999999999999999999999", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("1.0", "1"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("333333333.33333329", "333333333.3333333"),
    ] {
        assert_eq!(canonical(text), expected, "{text}");
    }
}

#[test]
fn grammar_of_rfc_8259_holds() {
    for text in [
        "",
        " ",
        "{",
        "[",
        "\"",
        "tru",
        "nul",
        "TRUE",
        "NaN",
        "Infinity",
        "-Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "1.e1",
        "0x10",
        "1_000",
        "[1,]",
        "{\"a\":1,}",
        "[,1]",
        "{,}",
        "[1 2]",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{\"a\":}",
        "// c\n1",
        "[1]/**/",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\u+123\"",
        "\"a\nb\"",
        "\"\t\"",
        "\"\0\"",
        "1 2",
        "{} {}",
        "[]]",
        "{}}",
        "null x",
        "\u{a0}1",
        "1\u{2028}",
        "\u{c}1",
        "\"\\",
        "\"\\u",
        "\"\\ud800\\u12\"",
    ] {
        assert_eq!(code(text), Err("json_syntax"), "{text:?}");
    }
    for text in [
        " \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n",
        "{ \"a\" : { } , \"b\" : [ ] }",
        "\"\u{7f}\u{2028}\u{fffe}\"",
        "false",
    ] {
        assert_eq!(code(text), Ok(()), "{text:?}");
    }
}

#[test]
fn halves_of_characters_are_refused() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\ud800\ud800""#,
        r#""\udc00\ud800""#,
        r#""\ud800\u0041""#,
        r#"{"\udfaa":0}"#,
    ] {
        assert_eq!(code(text), Err("json_lone_surrogate"), "{text}");
    }
    assert_eq!(canonical(r#""\uD834\uDD1E\uFFFE""#), "\"\u{1d11e}\u{fffe}\"");
}

#[test]
fn encodings_other_than_plain_utf8_are_refused() {
    let code = |bytes: &[u8]| StrictJson::read(bytes).map_err(|error| error.code());
    assert_eq!(code(b"\xEF\xBB\xBF{}"), Err("json_byte_order_mark"));
    for bytes in [
        &b"\"\xff\""[..],
        b"\"\xed\xa0\x80\"",
        b"\"\xc0\xaf\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\xff\xfe{\0}\0",
        b"\"\xe2\x82",
    ] {
        assert_eq!(code(bytes), Err("json_not_utf8"), "{bytes:?}");
    }
    let error = StrictJson::read(b"[\n\"\xd0\xb0\xff\"]").expect_err("not UTF-8");
    assert_eq!(error, DocumentError::JsonNotUtf8 { position: Position { line: 2, column: 3 } });
}

#[test]
fn depth_ends_at_its_limit() {
    let nested = |open: &str, close: &str, depth: usize| format!("{}0{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[ ", "] ")] {
        assert_eq!(code(&nested(open, close, JSON_DEPTH_MAX)), Ok(()), "{open}");
        assert_eq!(code(&nested(open, close, JSON_DEPTH_MAX + 1)), Err("json_too_deep"), "{open}");
    }
    assert_eq!(code(&"[".repeat(JSON_SIZE_BYTES_MAX)), Err("json_too_deep"), "no stack is used beyond the limit");
    let wide = format!("[{}0]", "[],".repeat(10_000));
    assert_eq!(code(&wide), Ok(()), "siblings are not depth");
}

#[test]
fn size_ends_at_its_limit() {
    let file = |size_bytes: usize| format!("\"{}\"", "a".repeat(size_bytes - 2));
    assert_eq!(code(&file(JSON_SIZE_BYTES_MAX)), Ok(()));
    let error = StrictJson::read(file(JSON_SIZE_BYTES_MAX + 1).as_bytes()).expect_err("one byte too large");
    assert_eq!(
        error,
        DocumentError::JsonTooLarge { size_bytes: JSON_SIZE_BYTES_MAX + 1, size_bytes_max: JSON_SIZE_BYTES_MAX }
    );
}

#[test]
fn names_are_ordered_by_utf16_and_unicode_is_not_normalised() {
    let text = "{\"\u{fb33}\":1,\"\u{1f600}\":2,\"\u{20ac}\":3,\"\\r\":4,\"1\":5,\"\u{80}\":6,\"e\u{301}\":7,\"é\":8}";
    let expected =
        "{\"\\r\":4,\"1\":5,\"e\u{301}\":7,\"\u{80}\":6,\"é\":8,\"\u{20ac}\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}";
    assert_eq!(canonical(text), expected);
}

/// JSON texts near the grammar: good ones, and ones with a few bytes changed.
fn text() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<f64>().prop_filter("JSON has no infinities", |x| x.is_finite()).prop_map(|x| format!("{x:e}")),
        any::<i64>().prop_map(|x| x.to_string()),
        (-(1_i64 << 54)..(1 << 54)).prop_map(|x| x.to_string()),
        "-?[0-9]{1,25}(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
    ];
    let string = prop_oneof![
        any::<String>().prop_map(|text| Value::String(text).to_string()),
        "\"(a|\\\\n|\\\\u[0-9a-fD]{4}|\\\\ud83d\\\\ude00|é){0,4}\"",
    ];
    let leaf =
        prop_oneof![number, string, Just("true".to_owned()), Just("false".to_owned()), Just(" null ".to_owned())];
    let tree = leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(" ,\n"))),
            prop::collection::vec(("[a-d]", inner), 0..4).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\" : {value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    let change = prop::option::of((any::<prop::sample::Index>(), "[\\[\\]{},:\"\\\\0-9eE.+ truefalsn-]{0,2}"));
    (tree, change).prop_map(|(text, change)| match change {
        Some((index, insert)) if text.is_ascii() => {
            let offset = index.index(text.len());
            format!("{}{insert}{}", &text[..offset], text.get(offset + 1..).unwrap_or_default())
        }
        _ => text,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Whatever the strict reader accepts, the general library accepts and reads alike; whatever it refuses as ungrammatical
    /// or half a character, the library refuses as well; canonical bytes read back to themselves.
    #[test]
    fn reads_like_serde_json_or_refuses(text in text()) {
        let general = serde_json::from_str::<Value>(&text);
        match StrictJson::read(text.as_bytes()) {
            Ok(strict) => {
                let general = general.expect("accepted by the strict reader only");
                let theirs = serde_json_canonicalizer::to_vec(&general).expect("finite");
                let ours = strict.canonical_bytes();
                prop_assert_eq!(&ours, &theirs);
                let again = serde_json::from_slice::<Value>(&ours).expect("canonical JSON is JSON");
                prop_assert_eq!(serde_json_canonicalizer::to_vec(&again).expect("finite"), ours);
            }
            Err(DocumentError::JsonSyntax { .. } | DocumentError::JsonLoneSurrogate { .. } | DocumentError::JsonNumberTooLarge { .. }) => {
                prop_assert!(general.is_err());
            }
            Err(DocumentError::JsonDuplicateName { .. } | DocumentError::JsonIntegerTooLarge { .. }) => {}
            Err(other) => prop_assert!(false, "{} is impossible for this text", other.code()),
        }
    }

    /// A second canonicaliser, by other authors, writes the same bytes.
    #[test]
    fn canonical_bytes_equal_serde_jcs(text in text()) {
        if let Ok(strict) = StrictJson::read(text.as_bytes()) {
            prop_assert_eq!(strict.canonical_bytes(), serde_jcs::to_vec(strict.value()).expect("finite"));
        }
    }

    #[test]
    fn no_bytes_panic_and_none_are_accepted_here_alone(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(StrictJson::read(&bytes).is_err() || serde_json::from_slice::<Value>(&bytes).is_ok());
    }
}
