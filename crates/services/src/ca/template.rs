//! The part of Go's `text/template` that mappings of CI providers use.
//!
//! Supported are: text, trim markers and comments; `.`, `.field`, `$variable`, texts, whole numbers, `true`
//! and `false`; pipelines and parentheses; `if`, `else if`, `else`, `with`, `range` over the claims; and the
//! functions `and or not eq ne lt le gt ge index len print println printf urlquery`. What else Go has
//! (`define`, `template`, `block`, `break`, `html`, `js`, `slice`, `call`, floating-point numbers, …) is
//! reported when the configuration is read, and not first when a token comes.
//!
//! The data are a map from texts to texts, and a missing key is an error (`missingkey=error`).

mod evaluate;
mod function;
mod lex;
mod parse;
mod syntax;

use std::collections::BTreeMap;

use syntax::Node;

pub(super) use evaluate::EvaluateError;

/// The longest text that a template may make: beyond it no certificate would be accepted by a log.
const MAX_OUTPUT: usize = 16 * 1024;
/// How many pieces of a template are written at most: a loop in a loop over all claims of a token.
const MAX_STEPS: usize = 1 << 20;
/// How deep groups and blocks may be nested.
const MAX_DEPTH: usize = 32;

/// A template that was parsed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    text: String,
    nodes: Vec<Node>,
}

/// What a template can see: the claims of a token and the defaults, all as text.
pub(super) type Data = BTreeMap<String, String>;

/// Why a template cannot be used. The operator's to fix.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TemplateError {
    /// It is not a template.
    #[error("the template is malformed at byte {at}: {reason}")]
    Malformed {
        /// Where.
        at: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// It is one, but uses what is not supported here.
    #[error("the template uses {what}, which is not supported")]
    Unsupported {
        /// What it uses.
        what: String,
    },
    /// It names a variable that nothing has declared before.
    #[error("the template uses the variable {name} before it is declared")]
    UndefinedVariable {
        /// The variable.
        name: String,
    },
}

impl Template {
    /// Parses a template.
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let nodes = parse::parse(lex::lex(text)?)?;
        Ok(Self { text: text.to_owned(), nodes })
    }

    /// Writes the template for `data`.
    pub(super) fn evaluate(&self, data: &Data) -> Result<String, EvaluateError> {
        evaluate::evaluate(&self.text, &self.nodes, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> Data {
        [("a", "alpha"), ("b", "beta"), ("e", ""), ("k/x.y", "slash"), ("n", "7")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    fn evaluate(template: &str) -> String {
        match Template::parse(template).unwrap().evaluate(&data()) {
            Ok(text) => text,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_supported_gives_what_go_gives() {
        for (template, expected) in [
            ("x", "x"),
            ("{{.a}}/{{ .b }}", "alpha/beta"),
            ("x {{- .a -}} y", "xalphay"),
            ("{{/* nothing */}}x{{- /* nothing */ -}} y", "xy"),
            ("{{ if eq .a \"x\" }}1{{ else if eq .a `alpha` }}2{{ else }}3{{ end }}", "2"),
            ("{{ if and (ne .a \"x\") (eq .b \"beta\") }}yes{{ end }}", "yes"),
            ("{{ if .e }}yes{{ else }}no{{ end }}{{ if not .e }}!{{ end }}", "no!"),
            ("{{ or .e .a }}{{ and .a .e .nope }}", "alpha"),
            ("{{ with .a }}{{ . }}{{ $.b }}{{ else }}none{{ end }}", "alphabeta"),
            ("{{ with .e }}x{{ else }}none{{ end }}", "none"),
            (
                "{{ range $k, $v := . }}{{ $k }}={{ $v }};{{ end }}",
                "a=alpha;b=beta;e=;k/x.y=slash;n=7;",
            ),
            ("{{ range . }}[{{ . }}]{{ end }}", "[alpha][beta][][slash][7]"),
            ("{{ $v := .a }}{{ if .b }}{{ $v = .b }}{{ end }}{{ $v }}", "beta"),
            ("{{ .a | printf \"%s-%v-%q-%s%%\" \"x\" .b .e | len }}", "16"),
            ("{{ print .a .b 1 2 \"x\" }}{{ println 1 true }}", "alphabeta1 2x1 true\n"),
            ("{{ len . }} {{ len .a }}", "5 5"),
            ("{{ urlquery \"a b&c~é\" }}", "a+b%26c~%C3%A9"),
            ("{{ index . \"k/x.y\" }}{{ index . \"nope\" }}", "slash"),
            ("{{ . }}", "map[a:alpha b:beta e: k/x.y:slash n:7]"),
            ("{{ lt .a .b }}{{ ge 3 2 }}{{ true }}", "truetruetrue"),
            ("{{ \"a\\n\\x41\\u00e9\" }}", "a\nA\u{e9}"),
        ] {
            assert_eq!(evaluate(template), expected, "{template}");
        }
    }

    #[test]
    fn errors_are_gos_with_its_positions() {
        for (template, expected) in [
            (
                "{{ .nope }}",
                "template: :1:3: executing \"\" at <.nope>: map has no entry for key \"nope\"",
            ),
            (
                "x\n {{ .a.b }}",
                "template: :2:6: executing \"\" at <.a.b>: can't evaluate field b in type string",
            ),
            (
                "{{ eq .n 7 }}",
                "template: :1:3: executing \"\" at <eq .n 7>: error calling eq: incompatible types for comparison: string and int",
            ),
            (
                "{{ if eq (len .nope) 1 }}{{ end }}",
                "template: :1:14: executing \"\" at <.nope>: map has no entry for key \"nope\"",
            ),
        ] {
            assert_eq!(evaluate(template), expected, "{template}");
        }
    }

    #[test]
    fn what_is_not_supported_is_reported_when_it_is_parsed() {
        for template in [
            "{{ html .a }}",
            "{{ js .a }}",
            "{{ slice .a 1 }}",
            "{{ call .a }}",
            "{{ define \"x\" }}{{ end }}",
            "{{ template \"x\" }}",
            "{{ block \"x\" . }}{{ end }}",
            "{{ break }}",
            "{{ 1.5 }}",
            "{{ 'a' }}",
            "{{ nil }}",
            "{{ printf \"%08x\" .a }}",
            "{{ (index . \"a\").b }}",
        ] {
            let error = Template::parse(template).expect_err(template);
            assert!(matches!(error, TemplateError::Unsupported { .. }), "{template}: {error}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for template in [
            "{{ .a",
            "{{ if .a }}",
            "{{ end }}",
            "{{ else }}",
            "{{ if }}{{ end }}",
            "{{}}",
            "{{ .a | }}",
            "{{ \"a }}",
            "{{ (.a }}",
            "{{ .a) }}",
            "{{/* }}",
            "{{ nope .a }}",
            "{{ $x }}",
            "{{ $x := }}",
            "{{ if .a }}{{ else }}{{ else }}{{ end }}",
            "{{ if $x := .a }}{{ end }}{{ $x }}",
        ] {
            Template::parse(template).expect_err(template);
        }
        let deep = format!("{{{{ {}.a{} }}}}", "(".repeat(40), ")".repeat(40));
        Template::parse(&deep).unwrap_err();
    }

    #[test]
    fn a_claim_is_never_read_as_a_template() {
        let data = [("a".to_owned(), "{{ .b }}".to_owned())].into();
        assert_eq!(Template::parse("{{ .a }}").unwrap().evaluate(&data).unwrap(), "{{ .b }}");
    }

    #[test]
    fn a_loop_cannot_grow_a_text_without_bound() {
        let data: Data = (0..100).map(|number| (number.to_string(), "x".to_owned())).collect();
        let doubling = "{{ $v := \"x\" }}{{ range . }}{{ $v = print $v $v }}{{ end }}";
        let error = Template::parse(doubling).unwrap().evaluate(&data).unwrap_err();
        assert_eq!(error, EvaluateError::TooLong);
        let nested =
            format!("{}{{{{ $v := 1 }}}}{}", "{{ range $ }}".repeat(9), "{{ end }}".repeat(9));
        let error = Template::parse(&nested).unwrap().evaluate(&data).unwrap_err();
        assert_eq!(error, EvaluateError::TooManySteps);
    }

    #[test]
    fn output_is_limited() {
        let data = [("a".to_owned(), "x".repeat(MAX_OUTPUT / 2 + 1))].into();
        let twice = Template::parse("{{ .a }}{{ .a }}").unwrap();
        assert!(matches!(twice.evaluate(&data), Err(EvaluateError::TooLong)));
    }
}
