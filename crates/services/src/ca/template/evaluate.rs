//! Writing a template for the claims of a token.

use std::fmt;

use super::function::Function;
use super::syntax::{BlockKind, Command, Node, Operand, OperandKind, Pipeline};
use super::{Data, MAX_OUTPUT, MAX_STEPS};

/// A value while a template is evaluated.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(super) enum Value<'d> {
    Text(String),
    Number(i64),
    Bool(bool),
    Map(&'d Data),
}

/// Why a template cannot be written for these claims. Displayed as Go displays it, because clients are
/// shown the text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EvaluateError {
    /// A part of it has no value.
    #[error("template: :{line}:{column}: executing \"\" at <{part}>: {reason}")]
    At {
        /// The line, counted from one.
        line: usize,
        /// The byte of the line, counted from zero.
        column: usize,
        /// The part, as Go writes it.
        part: String,
        /// Why, in Go's words.
        reason: String,
    },
    /// What it writes is longer than any name in a certificate.
    #[error("the text of a template is longer than {MAX_OUTPUT} bytes")]
    TooLong,
    /// It goes through the claims again and again.
    #[error("a template takes more than {MAX_STEPS} steps")]
    TooManySteps,
}

impl Value<'_> {
    /// Whether `if` takes it for true: it is not empty, zero or false.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Number(number) => *number != 0,
            Self::Bool(truth) => *truth,
            Self::Map(map) => !map.is_empty(),
        }
    }

    /// The type as Go names it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Number(_) => "int",
            Self::Bool(_) => "bool",
            Self::Map(_) => "map[string]string",
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Map(map) => {
                let members: Vec<String> =
                    map.iter().map(|(key, value)| format!("{key}:{value}")).collect();
                write!(f, "map[{}]", members.join(" "))
            }
        }
    }
}

/// Writes `nodes`, which were parsed from `text`.
pub(super) fn evaluate(text: &str, nodes: &[Node], data: &Data) -> Result<String, EvaluateError> {
    let variables = vec![("$".to_owned(), Value::Map(data))];
    let mut writer = Writer { text, variables, output: String::new(), steps: 0 };
    writer.nodes(nodes, &Value::Map(data))?;
    Ok(writer.output)
}

struct Writer<'d> {
    text: &'d str,
    variables: Vec<(String, Value<'d>)>,
    output: String,
    steps: usize,
}

impl<'d> Writer<'d> {
    fn nodes(&mut self, nodes: &[Node], dot: &Value<'d>) -> Result<(), EvaluateError> {
        for node in nodes {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(EvaluateError::TooManySteps);
            }
            match node {
                Node::Text(text) => self.write(text)?,
                Node::Action(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.variables.is_empty() {
                        self.write(&value.to_string())?;
                    }
                }
                Node::Block { kind, pipeline, body, otherwise } => {
                    let scope = self.variables.len();
                    self.block(*kind, pipeline, (body, otherwise), dot)?;
                    self.variables.truncate(scope);
                }
            }
        }
        Ok(())
    }

    fn block(
        &mut self,
        kind: BlockKind,
        pipeline: &Pipeline,
        (body, otherwise): (&[Node], &[Node]),
        dot: &Value<'d>,
    ) -> Result<(), EvaluateError> {
        let value = match kind {
            // What `range` declares are the members, not the value.
            BlockKind::Range => self.commands(pipeline, dot)?,
            BlockKind::If | BlockKind::With => self.pipeline(pipeline, dot)?,
        };
        match (kind, value) {
            (BlockKind::Range, Value::Map(map)) if !map.is_empty() => {
                self.range(pipeline, map, body)
            }
            (BlockKind::Range, Value::Map(_)) => self.nodes(otherwise, dot),
            (BlockKind::Range, other) => {
                let reason = format!("range can't iterate over {other}");
                Err(self.error(pipeline.commands[0].at, pipeline.to_string(), reason))
            }
            (_, value) if !value.is_true() => self.nodes(otherwise, dot),
            (BlockKind::With, value) => self.nodes(body, &value),
            (BlockKind::If, _) => self.nodes(body, dot),
        }
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        map: &'d Data,
        body: &[Node],
    ) -> Result<(), EvaluateError> {
        for (key, value) in map {
            let scope = self.variables.len();
            let (key, value) = (Value::Text(key.clone()), Value::Text(value.clone()));
            match pipeline.variables.as_slice() {
                [name] => self.set(name, value.clone(), pipeline.declares),
                [first, second] => {
                    self.set(first, key, pipeline.declares);
                    self.set(second, value.clone(), pipeline.declares);
                }
                _ => {}
            }
            self.nodes(body, &value)?;
            self.variables.truncate(scope);
        }
        Ok(())
    }

    fn pipeline(
        &mut self,
        pipeline: &Pipeline,
        dot: &Value<'d>,
    ) -> Result<Value<'d>, EvaluateError> {
        let value = self.commands(pipeline, dot)?;
        for name in &pipeline.variables {
            self.set(name, value.clone(), pipeline.declares);
        }
        Ok(value)
    }

    fn commands(
        &mut self,
        pipeline: &Pipeline,
        dot: &Value<'d>,
    ) -> Result<Value<'d>, EvaluateError> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value, dot)?);
        }
        Ok(value.unwrap_or_else(|| Value::Text(String::new())))
    }

    fn set(&mut self, name: &str, value: Value<'d>, declares: bool) {
        let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
        match known {
            Some((_, place)) if !declares => *place = value,
            _ => self.variables.push((name.to_owned(), value)),
        }
    }

    /// A command's value; `last` is the value of the command before.
    fn command(
        &mut self,
        command: &Command,
        last: Option<Value<'d>>,
        dot: &Value<'d>,
    ) -> Result<Value<'d>, EvaluateError> {
        let (first, arguments) = (&command.operands[0], &command.operands[1..]);
        let OperandKind::Function(function) = &first.kind else {
            if arguments.is_empty() && last.is_none() {
                return self.operand(first, dot);
            }
            let reason = format!("can't give argument to non-function {}", first.kind);
            return Err(self.error(first.at, first.kind.to_string(), reason));
        };
        if let Function::And | Function::Or = function {
            return self.first_that_decides(*function, command, last, dot);
        }
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for argument in arguments {
            values.push(self.operand(argument, dot)?);
        }
        values.extend(last);
        let value = function.call(&values).map_err(|reason| {
            let reason = format!("error calling {}: {reason}", function.name());
            self.error(command.at, command.to_string(), reason)
        })?;
        match &value {
            // A variable that is doubled for each claim would outgrow any memory.
            Value::Text(text) if text.len() > MAX_OUTPUT => Err(EvaluateError::TooLong),
            _ => Ok(value),
        }
    }

    /// `and` and `or`: the first argument that decides, else the last; what follows is not evaluated.
    fn first_that_decides(
        &mut self,
        function: Function,
        command: &Command,
        last: Option<Value<'d>>,
        dot: &Value<'d>,
    ) -> Result<Value<'d>, EvaluateError> {
        let mut value = None;
        for argument in &command.operands[1..] {
            let argument = self.operand(argument, dot)?;
            if argument.is_true() == (function == Function::Or) {
                return Ok(argument);
            }
            value = Some(argument);
        }
        last.or(value).ok_or_else(|| {
            let reason =
                format!("wrong number of args for {}: want at least 1 got 0", function.name());
            self.error(command.at, command.to_string(), reason)
        })
    }

    fn operand(&mut self, operand: &Operand, dot: &Value<'d>) -> Result<Value<'d>, EvaluateError> {
        match &operand.kind {
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Field(fields) => self.fields(operand, dot.clone(), fields),
            OperandKind::Variable { name, fields } => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = known.map_or(Value::Text(String::new()), |(_, value)| value.clone());
                self.fields(operand, value, fields)
            }
            OperandKind::Text { value, .. } => Ok(Value::Text(value.clone())),
            OperandKind::Number { value, .. } => Ok(Value::Number(*value)),
            OperandKind::Bool(truth) => Ok(Value::Bool(*truth)),
            OperandKind::Group(pipeline) => self.pipeline(pipeline, dot),
            OperandKind::Function(function) => function.call(&[]).map_err(|reason| {
                let reason = format!("error calling {}: {reason}", function.name());
                self.error(operand.at, operand.kind.to_string(), reason)
            }),
        }
    }

    fn fields(
        &self,
        operand: &Operand,
        mut value: Value<'d>,
        fields: &[String],
    ) -> Result<Value<'d>, EvaluateError> {
        for field in fields {
            let found = match &value {
                Value::Map(map) => map.get(field).cloned().ok_or_else(|| {
                    format!("map has no entry for key {}", crate::ca::go::quote(field))
                }),
                other => Err(format!("can't evaluate field {field} in type {}", other.type_name())),
            };
            value = found
                .map(Value::Text)
                .map_err(|reason| self.error(operand.at, operand.kind.to_string(), reason))?;
        }
        Ok(value)
    }

    fn write(&mut self, text: &str) -> Result<(), EvaluateError> {
        if self.output.len() + text.len() > MAX_OUTPUT {
            return Err(EvaluateError::TooLong);
        }
        self.output.push_str(text);
        Ok(())
    }

    fn error(&self, at: usize, part: String, reason: String) -> EvaluateError {
        let before = &self.text[..at];
        let column = before.rfind('\n').map_or(at, |newline| at - newline - 1);
        EvaluateError::At { line: 1 + before.matches('\n').count(), column, part, reason }
    }
}
