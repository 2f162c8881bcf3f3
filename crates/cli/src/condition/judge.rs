//! Judges conditions: a question comes from stdin, the answer goes to stdout. What takes too long ends here, and nothing
//! else with it.

use std::io::{self, Read as _};
use std::sync::Arc;
use std::thread;

use cel::{Context, Env, Program, Value};
use jiff::Timestamp;
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::value::Cel;
use crate::failure::{Failure, OrFail};
use crate::output::print_json;

/// How much processor time there is. A condition on a statement of a megabyte takes milliseconds.
pub(super) const CPU_SECONDS: u64 = 5;
/// How much address space there is: the longest statements as values, and the program itself.
pub(super) const MEMORY_BYTES: u64 = 2 << 30;
/// The stack: enough for the longest condition, if it is all brackets.
const STACK_BYTES: usize = 256 << 20;
/// The longest explanation: some contain the value that was wrong, and that may be the whole predicate.
const MAX_EXPLANATION: usize = 300;

/// Conditions, and the statements that they are put on.
#[derive(Deserialize, Serialize)]
pub(super) struct Question<'a> {
    pub(super) conditions: Vec<String>,
    #[serde(borrow)]
    pub(super) statements: Vec<&'a RawValue>,
}

/// What came of it.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Answer {
    /// Something was put that is not a condition.
    NoCondition { position: usize, message: String },
    /// One verdict for each statement.
    Judged(Vec<Verdict>),
}

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Verdict {
    /// All conditions hold.
    Fulfilled,
    /// The condition at this position is the first that does not hold, or has no value.
    Unfulfilled { position: usize, found: String },
}

/// The members of a statement that conditions can speak of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Variables {
    subject: Cel,
    #[serde(default)]
    predicate_type: Cel,
    #[serde(default)]
    predicate: Cel,
}

pub(crate) fn run() -> Result<(), Failure> {
    const DOING: &str = "the conditions could not be judged";
    limit().or_undecided("the limits for conditions cannot be set")?;
    let mut question = String::new();
    io::stdin().read_to_string(&mut question).or_undecided("no question could be read")?;
    let question: Question<'_> =
        serde_json::from_str(&question).or_usage("this command is for the program itself")?;
    let answer = on_a_deep_stack(|| answer(&question, Timestamp::now()))
        .or_undecided(DOING)?
        .or_undecided(DOING)?;
    print_json(&answer).or_undecided("the answer cannot be printed")
}

/// From here on the kernel watches, and leaves no core.
fn limit() -> rustix::io::Result<()> {
    let set =
        |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    set(Resource::Cpu, CPU_SECONDS)?;
    set(Resource::As, MEMORY_BYTES)?;
    set(Resource::Core, 0)
}

/// The parser goes as deep as brackets do before it counts them.
fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let deep = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work)?;
        deep.join().map_err(|_| io::Error::other("it panicked"))
    })
}

fn answer(question: &Question<'_>, now: Timestamp) -> Result<Answer, serde_json::Error> {
    let environment = Arc::new(Env::stdlib());
    let mut programs = Vec::new();
    for (position, condition) in question.conditions.iter().enumerate() {
        match environment.compile(condition) {
            Ok(program) => programs.push(program),
            Err(errors) => {
                let message = explanation(&errors);
                return Ok(Answer::NoCondition { position, message });
            }
        }
    }
    let verdict = |statement: &&RawValue| {
        let variables: Variables = serde_json::from_str(statement.get())?;
        Ok(judge(&programs, &context(&environment, variables, now)))
    };
    question.statements.iter().map(verdict).collect::<Result<_, _>>().map(Answer::Judged)
}

fn context(
    environment: &Arc<Env>,
    variables: Variables,
    now: Timestamp,
) -> Context<'static, 'static> {
    let mut context = Context::with_env(Arc::clone(environment));
    context.add_variable_from_value("subject", variables.subject.0);
    context.add_variable_from_value("predicateType", variables.predicate_type.0);
    context.add_variable_from_value("predicate", variables.predicate.0);
    let now = environment.compile(&format!("timestamp('{now}')"));
    if let Some(now) = now.ok().and_then(|program| program.execute(&context).ok()) {
        context.add_variable_from_value("now", now);
    }
    context
}

fn judge(programs: &[Program], context: &Context<'_, '_>) -> Verdict {
    for (position, program) in programs.iter().enumerate() {
        let found = match program.execute(context) {
            Ok(Value::Bool(true)) => continue,
            Ok(Value::Bool(false)) => "false".to_owned(),
            Ok(_) => "neither true nor false".to_owned(),
            Err(error) => explanation(&error),
        };
        return Verdict::Unfulfilled { position, found };
    }
    Verdict::Fulfilled
}

fn explanation(error: &impl ToString) -> String {
    let text = error.to_string();
    match text.char_indices().nth(MAX_EXPLANATION) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT: &str = r#"{
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a.txt", "digest": {"sha256": "00"}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildType": "t", "builder.id": "b", "level": 3, "score": 1.5, "tags": ["a", "b"],
            "finished": "2026-01-01T00:00:00Z", "nothing": null}
    }"#;

    fn ask(condition: &str) -> Answer {
        let statements = vec![serde_json::from_str(STATEMENT).unwrap()];
        let question = Question { conditions: vec![condition.to_owned()], statements };
        let now = "2026-01-03T00:00:00Z".parse().unwrap();
        on_a_deep_stack(|| answer(&question, now)).unwrap().unwrap()
    }

    #[test]
    fn conditions_speak_of_the_statement_and_of_now() {
        for condition in [
            "predicate.buildType == 't'",
            "predicate['builder.id'] == 'b'",
            "predicateType.startsWith('https://slsa.dev/')",
            "subject.exists(s, s.name == 'a.txt' && s.digest.sha256 == '00')",
            "predicate.level >= 3 && predicate.level == 3.0",
            "predicate.score < 2",
            "predicate.tags.all(t, t in ['a', 'b', 'c'])",
            "!has(predicate.other) && predicate.nothing == null",
            "timestamp(predicate.finished) > now - duration('72h')",
            "predicate.buildType.matches('^[a-z]$')",
        ] {
            assert_eq!(ask(condition), Answer::Judged(vec![Verdict::Fulfilled]), "{condition}");
        }
    }

    #[test]
    fn what_is_not_true_is_not_fulfilled() {
        for (condition, found) in [
            ("predicate.buildType == 'u'", "false"),
            ("predicate.other == 'u'", "No such key: other"),
            ("predicate.buildType", "neither true nor false"),
            ("elsewhere == 1", "Undeclared reference to 'elsewhere'"),
            ("timestamp(predicate.finished) > now - duration('24h')", "false"),
        ] {
            let Answer::Judged(verdicts) = ask(condition) else { panic!("{condition}") };
            let expected = Verdict::Unfulfilled { position: 0, found: found.to_owned() };
            assert_eq!(verdicts, [expected], "{condition}");
        }
    }

    #[test]
    fn what_is_no_expression_is_no_condition() {
        for condition in
            ["predicate.", "(", "a = b", &"(".repeat(2000), &"!".repeat(2000), &"[".repeat(4000)]
        {
            assert!(
                matches!(ask(condition), Answer::NoCondition { position: 0, .. }),
                "{condition}"
            );
        }
    }

    #[test]
    fn an_explanation_does_not_repeat_the_predicate() {
        assert_eq!(explanation(&"ä".repeat(1000)).chars().count(), MAX_EXPLANATION + 1);
    }
}
